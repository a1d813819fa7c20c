/** What has arrived of one completion in one attempt, and the events that stream it. */
import type { EngineEvent, ToolCall, ToolCallDelta } from '../core/provider/engine.ts'
import { createReasoningSplitter, type ReasoningSplitter } from './reasoning.ts'

/** Text, reasoning and tool calls so far. Change it through the functions below: they emit what changes. */
export interface Transcript {
  readonly index: number
  readonly emit: (event: EngineEvent) => void
  text: string
  reasoning: string
  toolCalls: ToolCall[]
  readonly splitter: ReasoningSplitter
}

/** An empty transcript of the completion with this index. With `isPlain` all content is text, whatever tags it holds. */
export function createTranscript(
  index: number,
  emit: (event: EngineEvent) => void,
  { isPlain = false } = {},
): Transcript {
  const addPlain = { push: (text: string) => addText(transcript, text), end: () => {} }
  const transcript: Transcript = {
    index,
    emit,
    text: '',
    reasoning: '',
    toolCalls: [],
    splitter: isPlain
      ? addPlain
      : createReasoningSplitter((part, text) => {
          if (part === 'text') addText(transcript, text)
          else if (part === 'reasoning') addReasoning(transcript, text)
          else turnTextIntoReasoning(transcript)
        }),
  }
  return transcript
}

/** Adds content, in which reasoning may stand between tags. */
export function addContent({ splitter }: Transcript, delta: string): void {
  if (delta !== '') splitter.push(delta)
}

/** Adds reasoning that the server itself keeps apart. */
export function addReasoning(transcript: Transcript, text: string): void {
  if (text === '') return
  transcript.reasoning += text
  transcript.emit({ type: 'reasoning-delta', index: transcript.index, text })
}

/** Adds a tool call after the others, with the part of its arguments that has come. */
export function startToolCall(
  { index, emit, toolCalls }: Transcript,
  call: { id: string; name: string; arguments?: string; extra_content?: ToolCall['extra_content'] },
): void {
  const { id, name, arguments: piece = '', extra_content: extra } = call
  const position = toolCalls.length
  const called = { name, arguments: piece }
  toolCalls.push({ id, type: 'function', function: called, ...(extra && { extra_content: extra }) })
  emit({ type: 'tool-call-delta', index, delta: { position, ...call } })
}

/** Adds a piece to the tool call at this position. */
export function extendToolCall(
  { index, emit, toolCalls }: Transcript,
  position: number,
  {
    name,
    arguments: piece,
    extra_content: extra,
  }: Pick<ToolCallDelta, 'name' | 'extra_content'> & { arguments: string },
): void {
  const call = toolCalls[position]
  if (!call) return
  if (extra) call.extra_content = extra
  call.function.name += name ?? ''
  call.function.arguments += piece
  const more = { ...(name && { name }), ...(extra && { extra_content: extra }) }
  emit({ type: 'tool-call-delta', index, delta: { position, arguments: piece, ...more } })
}

/** Emits the content that was held back because it could have become a tag. */
export function endTranscript({ splitter }: Transcript): void {
  splitter.end()
}

/** Estimates the tokens of all that has arrived. */
export function estimateOutput({ text, reasoning, toolCalls }: Transcript): number {
  const calls = toolCalls.map(({ function: called }) => called.name + called.arguments)
  return estimateTokens([text, reasoning, ...calls].join(''))
}

/** Estimates tokens: about four bytes per token, as byte-pair vocabularies have for English. */
export function estimateTokens(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / 4)
}

function addText(transcript: Transcript, text: string): void {
  transcript.text += text
  transcript.emit({ type: 'completion-delta', index: transcript.index, text })
}

/** A closing tag without an opening one: takes back what was streamed as text, and streams it as reasoning. */
function turnTextIntoReasoning(transcript: Transcript): void {
  const { index, emit, toolCalls, text, reasoning } = transcript
  transcript.text = transcript.reasoning = ''
  emit({ type: 'completion-restarted', index, reason: 'the text so far was reasoning' })
  addReasoning(transcript, reasoning + text)
  for (const [position, { id, function: called }] of toolCalls.entries()) {
    emit({ type: 'tool-call-delta', index, delta: { position, id, ...called } })
  }
}
