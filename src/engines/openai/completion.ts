/** One completion while it is made, over all its attempts. */
import type {
  CompletionEnd,
  CompletionRequest,
  EngineEvent,
  FinishReason,
  TokenScore,
  Usage,
} from '../../core/provider/engine.ts'
import type { EngineError } from '../../core/provider/errors.ts'
import {
  addContent,
  addReasoning,
  createTranscript,
  endTranscript,
  extendToolCall,
  startToolCall,
  type Transcript,
} from '../transcript.ts'
import type { ChunkChoice, Delta, WireScore } from './stream.ts'

/** A completion: what was spent on it so far, and what the present attempt has brought. */
export interface Completion {
  readonly index: number
  readonly seed: number
  readonly emit: (event: EngineEvent) => void
  failedAttempts: number
  /** Requests sent of which this is the lowest completion, and the prompt tokens they evaluated. */
  calls: number
  prefilledTokens: number | null
  /** When its first request was sent, by `performance.now()`. */
  startMs?: number
  received: Received
  /** Its end event was emitted. */
  hasEnded: boolean
  /** It failed for good. */
  error?: EngineError
}

/** What one attempt has brought. */
export interface Received extends Transcript {
  logprobs: TokenScore[]
  /** Chunks that held content: each is at least one token. */
  pieces: number
  /** The server has mentioned this completion. */
  hasBegun: boolean
  /** The server's own word. */
  finishReason?: string
  endMs?: number
}

/** A completion of which nothing was asked for yet. */
export function createCompletion(
  index: number,
  seed: number,
  emit: (event: EngineEvent) => void,
): Completion {
  const received = receiveNothing(index, emit)
  const counts = { failedAttempts: 0, calls: 0, prefilledTokens: 0, hasEnded: false }
  return { index, seed, emit, received, ...counts }
}

/** Forgets what an earlier attempt brought. */
export function beginAttempt(completion: Completion): void {
  completion.startMs ??= performance.now()
  completion.received = receiveNothing(completion.index, completion.emit)
}

function receiveNothing(index: number, emit: Completion['emit']): Received {
  return Object.assign(createTranscript(index, emit), { logprobs: [], pieces: 0, hasBegun: false })
}

/** Whether anything was streamed that a restart must take back. */
export function hasStreamed({ received: { text, reasoning, toolCalls } }: Completion): boolean {
  return text !== '' || reasoning !== '' || toolCalls.length > 0
}

/** Whether the server has named its finish reason: it says no more of this completion. */
export function isFinished({ received }: Completion): boolean {
  return received.finishReason !== undefined
}

/** Takes what a chunk says of this completion. */
export function takeChoice(completion: Completion, choice: ChunkChoice): void {
  const { received } = completion
  received.hasBegun = true
  const delta = choice.delta ?? choice.message ?? {}
  const thought = delta.reasoning_content ?? delta.reasoning
  const content = delta.content ?? delta.refusal
  if (thought || content || delta.tool_calls?.length) received.pieces++
  if (typeof thought === 'string') addReasoning(received, thought)
  if (typeof content === 'string') addContent(received, content)
  for (const [i, call] of (delta.tool_calls ?? []).entries()) takeToolCall(completion, call.index ?? i, call)
  for (const score of choice.logprobs?.content ?? []) received.logprobs.push(toTokenScore(score))
  if (!choice.finish_reason) return
  endTranscript(received)
  received.finishReason = choice.finish_reason
  received.endMs = performance.now()
}

function toTokenScore({ token, logprob, top_logprobs }: WireScore): TokenScore {
  const top = top_logprobs?.map(({ token, logprob }) => ({ token, logprob }))
  return { token, logprob, ...(top && { top }) }
}

function takeToolCall(
  { seed, received }: Completion,
  position: number,
  { id, function: { name, arguments: piece = '' } = {} }: NonNullable<Delta['tool_calls']>[number],
): void {
  const count = received.toolCalls.length
  // Some servers give no id, but a conversation cannot continue without one.
  const call = { id: id || `call_${seed}_${position}`, name: name ?? '', arguments: piece }
  if (position === count) startToolCall(received, call)
  else extendToolCall(received, position, { name, arguments: piece })
}

/** Words with which servers say that they failed: such a text is no answer. */
const FAILED = /^(error|abort|aborted|cancelled|canceled|insufficient_system_resource)$/

/** The server's word in this project's terms; undefined if it means a failure. */
export function toFinishReason({ finishReason = '', toolCalls }: Received): FinishReason | undefined {
  if (FAILED.test(finishReason)) return undefined
  if (/length|max_tokens/.test(finishReason)) return 'length'
  if (/filter|safety|blocklist/i.test(finishReason)) return 'content-filter'
  return toolCalls.length > 0 || /^(tool_calls|function_call)$/.test(finishReason) ? 'tool-calls' : 'stop'
}

/** Emits the end of a completion. */
export function endCompletion(completion: Completion, usage: Usage, request: CompletionRequest): void {
  completion.hasEnded = true
  completion.emit(toEnd(completion, usage, request.logprobs))
}

function toEnd(
  { index, received, startMs = 0 }: Completion,
  usage: Usage,
  alternatives: number | undefined,
): CompletionEnd {
  const { text, reasoning, toolCalls, logprobs, endMs = 0 } = received
  return {
    type: 'completion-end',
    index,
    text,
    ...(reasoning !== '' && { reasoning }),
    ...(toolCalls.length > 0 && { toolCalls }),
    finishReason: toFinishReason(received) ?? 'stop',
    usage,
    ...(alternatives !== undefined && { logprobs: logprobs.map((score) => cutTop(score, alternatives)) }),
    ms: Math.round(endMs - startMs),
  }
}

function cutTop({ token, logprob, top }: TokenScore, count: number): TokenScore {
  return { token, logprob, ...(top && count > 0 && { top: top.slice(0, count) }) }
}
