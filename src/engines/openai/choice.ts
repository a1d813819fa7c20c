/** One completion while it is made: what has come of it, over all attempts and in the present one. */
import type { EngineEvent, FinishReason, TokenScore, ToolCall } from '../../core/provider/engine.ts'
import { createReasoningSplitter, type ReasoningSplitter } from '../reasoning.ts'
import type { ChunkChoice, Delta } from './chunks.ts'

export interface Choice {
  readonly index: number
  readonly seed: number
  /** Attempts that failed. */
  failures: number
  /** Requests sent of which this is the lowest completion, and what they evaluated. */
  calls: number
  prefilledTokens: number | null
  /** When its first request was sent; by `performance.now()`. */
  startMs?: number
  draft: Draft
}

/** What one attempt has brought. */
export interface Draft {
  text: string
  reasoning: string
  toolCalls: ToolCall[]
  logprobs: TokenScore[]
  /** Chunks that held content: each is a token at least. */
  pieces: number
  /** Whether the server has mentioned it at all. */
  hasCome: boolean
  /** The server's own word. */
  finishReason?: string
  endMs?: number
  splitter: ReasoningSplitter
}

type Emit = (event: EngineEvent) => void

export function createChoice(index: number, seed: number): Choice {
  return { index, seed, failures: 0, calls: 0, prefilledTokens: 0, draft: createDraft(index, () => {}) }
}

/** An empty draft, whose deltas go to `emit`. */
export function createDraft(index: number, emit: Emit): Draft {
  const draft: Draft = {
    text: '',
    reasoning: '',
    toolCalls: [],
    logprobs: [],
    pieces: 0,
    hasCome: false,
    splitter: createReasoningSplitter((part, text) => {
      if (part === 'text') addText(draft, text, index, emit)
      else if (part === 'reasoning') addReasoning(draft, text, index, emit)
      else turnIntoReasoning(draft, index, emit)
    }),
  }
  return draft
}

/** Whether anything was streamed that a restart must take back. */
export function hasBegun({ text, reasoning, toolCalls }: Draft): boolean {
  return text !== '' || reasoning !== '' || toolCalls.length > 0
}

/** Takes in what a chunk says of a completion. After its finish reason nothing more is taken. */
export function takeChunk({ index, seed, draft }: Choice, chunk: ChunkChoice, emit: Emit): void {
  draft.hasCome = true
  const { logprobs, finish_reason } = chunk
  const delta = chunk.delta ?? chunk.message ?? {}
  const thought = delta.reasoning_content ?? delta.reasoning
  const content = delta.content ?? delta.refusal
  if (thought || content || delta.tool_calls?.length) draft.pieces++
  if (typeof thought === 'string') addReasoning(draft, thought, index, emit)
  if (typeof content === 'string' && content !== '') draft.splitter.push(content)
  takeToolCalls(draft, delta, { index, seed, emit })
  for (const { token, logprob, top_logprobs } of logprobs?.content ?? []) {
    draft.logprobs.push({ token, logprob, ...(top_logprobs && { top: top_logprobs.map(pickScore) }) })
  }
  if (!finish_reason) return
  draft.splitter.end()
  draft.finishReason = finish_reason
  draft.endMs = performance.now()
}

const pickScore = ({ token, logprob }: { token: string; logprob: number }) => ({ token, logprob })

function addText(draft: Draft, text: string, index: number, emit: Emit): void {
  draft.text += text
  emit({ type: 'completion-delta', index, text })
}

function addReasoning(draft: Draft, text: string, index: number, emit: Emit): void {
  if (text === '') return
  draft.reasoning += text
  emit({ type: 'reasoning-delta', index, text })
}

/** A closing tag without an opening one: what was streamed as text is taken back and streamed as reasoning. */
function turnIntoReasoning(draft: Draft, index: number, emit: Emit): void {
  const reasoning = draft.reasoning + draft.text
  draft.text = draft.reasoning = ''
  emit({ type: 'completion-restarted', index, reason: 'the text so far was reasoning' })
  addReasoning(draft, reasoning, index, emit)
  for (const [position, { id, function: f }] of draft.toolCalls.entries()) {
    emit({ type: 'tool-call-delta', index, delta: { position, id, ...f } })
  }
}

function takeToolCalls(
  draft: Draft,
  delta: Delta,
  { index, seed, emit }: { index: number; seed: number; emit: Emit },
): void {
  for (const [i, call] of (delta.tool_calls ?? []).entries()) {
    const position = call.index ?? i
    const { name, arguments: piece } = call.function ?? {}
    const known = draft.toolCalls[position]
    if (known) {
      known.function.name += name ?? ''
      known.function.arguments += piece ?? ''
      emit({
        type: 'tool-call-delta',
        index,
        delta: { position, ...(name && { name }), arguments: piece ?? '' },
      })
    } else if (position === draft.toolCalls.length) {
      // Some servers give no id, but a conversation cannot go on without one.
      const id = call.id || `call_${seed}_${position}`
      draft.toolCalls.push({ id, type: 'function', function: { name: name ?? '', arguments: piece ?? '' } })
      emit({
        type: 'tool-call-delta',
        index,
        delta: { position, id, name: name ?? '', arguments: piece ?? '' },
      })
    }
  }
}

/** Words with which servers say that they failed: such a text is no answer. */
const FAILED = /^(error|abort|aborted|cancelled|canceled|insufficient_system_resource)$/

/** The server's word in this project's terms; undefined where it means a failure. */
export function toFinishReason({ finishReason = '', toolCalls }: Draft): FinishReason | undefined {
  if (FAILED.test(finishReason)) return undefined
  if (/length|max_tokens/.test(finishReason)) return 'length'
  if (/filter|safety|blocklist/i.test(finishReason)) return 'content-filter'
  return toolCalls.length > 0 || /^(tool_calls|function_call)$/.test(finishReason) ? 'tool-calls' : 'stop'
}
