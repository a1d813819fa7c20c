/** Builds the items of a response, and sends events as they grow. Only one item is open at a time. */
import type { Completion } from '../../core/provider/records.ts'
import type { Sink } from '../../request/live.ts'
import { toScores } from '../../request/trace.ts'

type Send = (type: string, fields: object) => void

/** The output of a response while it grows. */
export interface Output {
  sink: Sink
  /** Ends the open item. An answer without text and call becomes a message without content. */
  end(answer: Completion | undefined, isComplete: boolean): void
  /** Returns all items in their current state. */
  items(): object[]
}

interface Item {
  type: 'message' | 'reasoning' | 'function_call'
  id: string
  status: 'in_progress' | 'completed' | 'incomplete'
  /** Text of a message or a reasoning, or the arguments of a call. */
  text: string
  /** Position of a call. */
  position?: number
  callId?: string
  name?: string
  logprobs?: object[]
}

const prefixes = { message: 'msg', reasoning: 'rs', function_call: 'fc' }

/** Makes an empty output. @param id id of the response; the ids of its items are made from it */
export function createOutput(id: string, send: Send): Output {
  const list = createItems(id, send)
  const write = (type: 'message' | 'reasoning', delta: string) => {
    const item = list.open()?.type === type ? (list.open() as Item) : list.begin(type)
    item.text += delta
    const scores = type === 'message' ? { logprobs: [] } : {}
    send(`response.${partType(item)}.delta`, { ...list.at(item), delta, ...scores })
  }
  return {
    sink: {
      content: (_, text) => write('message', text),
      reasoning: (_, text) => write('reasoning', text),
      toolCall: (_, { position, id: callId, name, arguments: delta }) => {
        const open = list.open()
        const isOpen = open?.type === 'function_call' && open.position === position
        const item = isOpen ? open : list.begin('function_call', { position, callId, name })
        if (!delta) return
        item.text += delta
        send('response.function_call_arguments.delta', { ...list.place(item), delta })
      },
    },
    end: (answer, isComplete) => {
      const hasAnswer = list.items.some((item) => item.type !== 'reasoning')
      const item = hasAnswer ? list.open() : list.begin('message')
      if (item && answer?.logprobs) item.logprobs = toScores(answer.logprobs)
      list.close(isComplete ? 'completed' : 'incomplete')
    },
    items: () => list.items.map(toWire),
  }
}

/** Keeps the items. At most the last one is open; beginning an item closes the one before. */
function createItems(id: string, send: Send) {
  const items: Item[] = []
  let open: Item | undefined
  const place = (item: Item) => ({ item_id: item.id, output_index: items.indexOf(item) })
  const at = (item: Item) => ({ ...place(item), content_index: 0 })

  const close = (status: Item['status']) => {
    if (!open) return
    const item = open
    open = undefined
    item.status = status
    const { text, name } = item
    if (item.type === 'function_call') {
      send('response.function_call_arguments.done', { ...place(item), name, arguments: text })
    } else {
      const scores = item.type === 'message' ? { logprobs: item.logprobs ?? [] } : {}
      send(`response.${partType(item)}.done`, { ...at(item), text, ...scores })
      send('response.content_part.done', { ...at(item), part: toPart(item) })
    }
    send('response.output_item.done', { output_index: items.indexOf(item), item: toWire(item) })
  }
  const begin = (type: Item['type'], more: Partial<Item> = {}): Item => {
    close('completed')
    const number = items.length
    const itemId = `${prefixes[type]}_${id.replace(/^resp_/, '')}_${number}`
    const item: Item = { type, id: itemId, status: 'in_progress', text: '', ...more }
    items.push(item)
    open = item
    const shown = { ...toWire(item), ...withoutContent(item) }
    send('response.output_item.added', { output_index: number, item: shown })
    if (type !== 'function_call') send('response.content_part.added', { ...at(item), part: toPart(item) })
    return item
  }
  return { items, open: () => open, begin, close, place, at }
}

function partType({ type }: Item): string {
  return type === 'message' ? 'output_text' : 'reasoning_text'
}

function toPart(item: Item) {
  const { text, logprobs = [] } = item
  const type = partType(item)
  return item.type === 'message' ? { type, text, annotations: [], logprobs } : { type, text }
}

function toWire(item: Item): object {
  const { type, id, status, text, callId, name } = item
  if (type === 'function_call') return { type, id, status, call_id: callId, name, arguments: text }
  if (type === 'reasoning') return { type, id, status, summary: [], content: [toPart(item)] }
  return { type, id, status, role: 'assistant', content: [toPart(item)] }
}

/** Returns the empty content to announce an item with, because its first part is announced after it. */
function withoutContent({ type }: Item): object {
  return type === 'function_call' ? {} : { content: [] }
}
