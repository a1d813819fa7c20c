/** The blocks of an answer, and the events that show how they grow. One block is open at a time. */
import type { ToolCallDelta } from '../../../core/provider/engine.ts'
import { EngineError } from '../../../core/provider/errors.ts'
import type { Sink } from '../../../request/live.ts'

type Send = (type: string, fields: object) => void

interface Block {
  type: 'thinking' | 'text' | 'tool_use'
  /** The arguments of a call as JSON. */
  text: string
  id?: string
  name?: string
}

/** An answer's content while it is written. */
export interface Blocks {
  sink: Sink
  /** Ends the content. @throws EngineError if a call has arguments that are not an object, unless it was cut */
  end(isCut: boolean): object[]
}

/**
 * Once a call is open, it stays open to the end: what belongs to other calls, or is text, waits for its own block.
 * @param showsThinking without it thinking is left out
 */
export function createBlocks(send: Send, showsThinking: boolean): Blocks {
  const list = createList(send)
  const calls: (Block | undefined)[] = []
  let textAfterCalls = ''
  const write = (type: 'thinking' | 'text', text: string) => {
    if (calls.length > 0) textAfterCalls += type === 'text' ? text : ''
    else list.add(list.open()?.type === type ? undefined : { type, text: '' }, text)
  }
  const call = ({ position, id, name, arguments: text = '' }: ToolCallDelta) => {
    const known = calls[position]
    const block = known ?? { type: 'tool_use', text: '', id, name }
    const isFirst = calls.length === 0
    calls[position] = block
    if (isFirst) list.add(block, text)
    else if (block === list.open()) list.add(undefined, text)
    else block.text += text
  }
  return {
    sink: {
      content: (_, text) => write('text', text),
      reasoning: (_, text) => showsThinking && write('thinking', text),
      toolCall: (_, delta) => call(delta),
    },
    end: (isCut) => {
      for (const block of calls) if (block) checkInput(block, isCut)
      const first = list.open()
      if (textAfterCalls) list.add({ type: 'text', text: '' }, textAfterCalls)
      for (const block of calls) if (block && block !== first) list.add({ ...block, text: '' }, block.text)
      list.close()
      return list.blocks.map((block) => toWire(block, block.text))
    },
  }
}

function createList(send: Send) {
  const blocks: Block[] = []
  let open: Block | undefined
  const index = () => blocks.length - 1
  const close = () => {
    if (!open) return
    // Clients send thinking back with its signature; this server needs none.
    if (open.type === 'thinking') sendDelta({ type: 'signature_delta', signature: SIGNATURE })
    send('content_block_stop', { index: index() })
    open = undefined
  }
  const sendDelta = (delta: object) => send('content_block_delta', { index: index(), delta })
  return {
    blocks,
    open: () => open,
    close,
    /** Adds text to a new block, or to the open one. */
    add: (block: Block | undefined, text: string) => {
      if (block) {
        close()
        blocks.push(block)
        open = block
        send('content_block_start', { index: index(), content_block: toWire(block, '') })
      }
      if (!open || text === '') return
      open.text += text
      sendDelta(toDelta(open.type, text))
    },
  }
}

const SIGNATURE = 'aft'

function toDelta(type: Block['type'], text: string): object {
  if (type === 'text') return { type: 'text_delta', text }
  if (type === 'thinking') return { type: 'thinking_delta', thinking: text }
  return { type: 'input_json_delta', partial_json: text }
}

function toWire({ type, id, name }: Block, text: string): object {
  if (type === 'text') return { type, text }
  if (type === 'thinking') return { type, thinking: text, signature: text ? SIGNATURE : '' }
  return { type, id, name, input: readInput(text) ?? {} }
}

function checkInput({ name, text }: Block, isCut: boolean): void {
  if (isCut || text.trim() === '' || readInput(text)) return
  throw new EngineError('aft', 'server', `the model called ${name} with arguments that are not a JSON object`)
}

function readInput(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}
