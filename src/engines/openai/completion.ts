/** One completion while it is made, over all its attempts. */
import type {
  CompletionEnd,
  CompletionRequest,
  EngineEvent,
  FinishReason,
  TokenScore,
  Tool,
  Usage,
} from '../../core/provider/engine.ts'
import type { EngineError } from '../../core/provider/errors.ts'
import { addContent, addReasoning, createTranscript, endTranscript, type Transcript } from '../transcript.ts'
import { type Choice, finishOf, pieceOf, readWords, scoresOf, type WireScore } from './chunk.ts'
import type { Fields } from './fields.ts'
import { readFinish } from './finish.ts'
import { areCallsWhole, type CallTracker, callsIn, endCalls, takeCall } from './tool-calls.ts'

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
  /** All that comes is text, whatever tags it holds. */
  readonly isPlain: boolean
  /** Names of the tools that it may call. */
  readonly tools: ReadonlySet<string>
  /** How its last attempt ended, if nothing proves that it was whole: a word, or '' for no word. */
  unprovenEnd?: string
  /** What its end says of the request and the answer, in words. */
  warnings?: string[]
  /** Its end event was emitted. */
  hasEnded: boolean
  /** Characters of which its end event told. */
  endedChars?: number
  /** It has ended before its usage came: what comes of it still counts. */
  isEarly?: boolean
  /** It has ended although more of it may come. */
  isDoubted?: boolean
  /** It failed for good. */
  error?: EngineError
}

/** What one attempt has brought. */
export interface Received extends Transcript {
  logprobs: TokenScore[]
  /** Chunks that held content: each is at least one token. */
  pieces: number
  /** Those of them that came without a finish reason. */
  openPieces: number
  /** Characters of text, reasoning and calls, what is held back included. */
  chars: number
  calls: CallTracker
  /** Some of it came as the next piece, and not as a message. */
  hasDeltas: boolean
  /** The server has mentioned this completion. */
  hasBegun: boolean
  /** The server's own word, the last if there were several. */
  finishReason?: string
  /** The word came with the first piece: some servers send one with each. */
  isDoubtful: boolean
  /** More came after the word. */
  hasGoneOn: boolean
  /** No more is expected but the usage. */
  isSettled: boolean
  endMs?: number
}

/** A completion of which nothing was asked for yet. */
export function createCompletion(
  index: number,
  seed: number,
  {
    emit,
    tools = [],
    isPlain = false,
  }: { emit: (event: EngineEvent) => void; tools?: Tool[]; isPlain?: boolean },
): Completion {
  const base = { index, seed, emit, isPlain, tools: new Set(tools.map((tool) => tool.function.name)) }
  const counts = { failedAttempts: 0, calls: 0, prefilledTokens: 0, hasEnded: false }
  return { ...base, received: receiveNothing(base), ...counts }
}

/** Forgets what an earlier attempt brought. */
export function beginAttempt(completion: Completion, warnings: string[] = []): void {
  completion.warnings = warnings
  completion.startMs ??= performance.now()
  completion.received = receiveNothing(completion)
}

function receiveNothing({
  index,
  seed,
  emit,
  tools,
  isPlain,
}: Pick<Completion, 'index' | 'seed' | 'emit' | 'tools' | 'isPlain'>): Received {
  const transcript = createTranscript(index, emit, { isPlain })
  const calls: CallTracker = { transcript, seed, names: tools, calls: [] }
  const counts = { pieces: 0, openPieces: 0, chars: 0 }
  const flags = { hasDeltas: false, hasBegun: false, isSettled: false, isDoubtful: false, hasGoneOn: false }
  return Object.assign(transcript, { logprobs: [], calls, ...counts, ...flags })
}

/** Whether anything was streamed that a restart must take back. */
export function hasStreamed({ received: { text, reasoning, toolCalls } }: Completion): boolean {
  return text !== '' || reasoning !== '' || toolCalls.length > 0
}

/** What a score counts for: with its text it stays below what a token may have. */
const SCORE_CHARS = 32

/** Takes what a chunk says of this completion. */
export function takeChoice({ received }: Completion, choice: Choice): void {
  received.hasBegun = true
  const brought = takePiece(received, choice)
  for (const score of scoresOf(choice)) {
    received.logprobs.push(toTokenScore(score))
    received.chars += SCORE_CHARS
  }
  const finish = finishOf(choice)
  if (brought) received.pieces++
  if (brought && !finish) received.openPieces++
  if (brought && received.finishReason) received.hasGoneOn = true
  if (!finish) return
  endCalls(received.calls)
  received.finishReason = finish
  received.endMs = performance.now()
  // Some servers send a finish reason with each piece: it is an end only where a piece came without.
  received.isDoubtful = received.pieces > 0 && received.openPieces === 0
  received.isSettled = received.openPieces > 0 && isKnownEnd(received)
}

/** Whether the prompt left no room for a text in the context, by the server's word. */
export function hadNoRoom({ finishReason, chars }: Received): boolean {
  return chars === 0 && finishReason !== undefined && /context/i.test(finishReason)
}

/** Whether the server gave a finish reason that is known, if only one that means a failure. */
export function isKnownEnd({ finishReason }: Received): boolean {
  return finishReason !== undefined && readFinish(finishReason) !== 'unknown'
}

/** Takes text, reasoning and calls. Whether there were any. */
function takePiece(received: Received, choice: Choice): boolean {
  const { piece, isWhole } = pieceOf(choice)
  const { reasoning, content } = readWords(piece, choice)
  const calls = callsIn(piece, choice)
  // Some servers repeat in their last chunk, as a message, all that they have streamed.
  if (isWhole && received.pieces > 0 && isRepetition(received, content, finishOf(choice))) {
    return takeRepetition(received, content, calls)
  }
  received.hasDeltas ||= !isWhole
  addReasoning(received, reasoning)
  addContent(received, content)
  received.chars += reasoning.length + content.length
  for (const call of calls) received.chars += 1 + takeCall(received.calls, call)
  return reasoning !== '' || content !== '' || calls.length > 0
}

/** Whether a message holds again what came before. Some servers send each piece as a message. */
function isRepetition({ text, hasDeltas }: Received, content: string, finish: string | undefined): boolean {
  if (hasDeltas) return true
  if (content.startsWith(text) && content.length > text.length) return true
  return finish !== undefined && content.trim() === text.trim()
}

/** Of a whole that follows its pieces: what they did not hold. */
function takeRepetition(received: Received, content: string, calls: Fields[]): boolean {
  const { text, toolCalls } = received
  const rest = content.startsWith(text) ? content.slice(text.length) : ''
  const missing = toolCalls.length === 0 ? calls : []
  addContent(received, rest)
  for (const call of missing) received.chars += 1 + takeCall(received.calls, call)
  received.chars += rest.length
  return rest !== '' || missing.length > 0
}

function toTokenScore({ token, logprob, top_logprobs }: WireScore): TokenScore {
  const top = top_logprobs?.map(({ token, logprob }) => ({ token, logprob }))
  return { token, logprob, ...(top && { top }) }
}

/** Whether what came can be a whole answer although the server did not say that it is. */
export function mayBeWhole({ received }: Completion): boolean {
  endTranscript(received)
  endCalls(received.calls)
  const { text, toolCalls, calls } = received
  return (text.trim() !== '' || toolCalls.length > 0) && areCallsWhole(calls)
}

/** The server's word in this project's terms; undefined if it means a failure. */
export function toFinishReason({ finishReason = '', toolCalls }: Received): FinishReason | undefined {
  const ending = finishReason === '' ? 'stop' : readFinish(finishReason)
  if (ending === 'failure') return undefined
  if (ending === 'length' || ending === 'content-filter') return ending
  return toolCalls.length > 0 || ending === 'tool-calls' ? 'tool-calls' : 'stop'
}

/** Characters that have come of some completions. */
export function countChars(completions: Completion[]): number {
  return completions.reduce((sum, { received }) => sum + received.chars, 0)
}

/** Emits the end of a completion. */
export function endCompletion(completion: Completion, usage: Usage, request: CompletionRequest): void {
  const { received, isDoubted, warnings = [] } = completion
  completion.hasEnded = true
  completion.endedChars = received.chars
  if (isDoubted) completion.warnings = [...warnings, MAY_GO_ON]
  completion.emit(toEnd(completion, usage, request.logprobs))
}

/** Emits the usage of a completion that has ended on an estimate, and its end again if that has changed. */
export function reportUsage(completion: Completion, usage: Usage, request: CompletionRequest): void {
  const { received, isDoubted, warnings } = completion
  const isChanged = isDoubted || hasGrown(completion)
  completion.warnings = warnings?.filter((warning) => warning !== MAY_GO_ON)
  Object.assign(completion, {
    hasEnded: true,
    endedChars: received.chars,
    isEarly: false,
    isDoubted: false,
  })
  const { index, type, usage: _, ...end } = toEnd(completion, usage, request.logprobs)
  completion.emit({ type: 'completion-usage', index, usage, ...(isChanged && { end }) })
}

const MAY_GO_ON =
  'the finish reason came with the first piece, and no more had come: the text may not be whole'

/** Whether more came of a completion after its end. */
export function hasGrown({ endedChars, received }: Completion): boolean {
  return endedChars !== undefined && received.chars !== endedChars
}

function toEnd(
  { index, received, warnings = [], startMs = 0 }: Completion,
  usage: Usage,
  alternatives: number | undefined,
): CompletionEnd {
  const { text, reasoning, toolCalls, logprobs, endMs = performance.now() } = received
  return {
    type: 'completion-end',
    index,
    text,
    ...(reasoning !== '' && { reasoning }),
    ...(toolCalls.length > 0 && { toolCalls }),
    finishReason: toFinishReason(received) ?? 'stop',
    usage,
    ...(alternatives !== undefined && { logprobs: logprobs.map((score) => cutTop(score, alternatives)) }),
    ...(warnings.length > 0 && { warnings }),
    ms: Math.round(endMs - startMs),
  }
}

function cutTop({ token, logprob, top }: TokenScore, count: number): TokenScore {
  return { token, logprob, ...(top && count > 0 && { top: top.slice(0, count) }) }
}
