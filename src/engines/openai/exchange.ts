/** One request for some completions, and what its answer brings. */
import type { CompletionRequest } from '../../core/provider/engine.ts'
import { EngineError } from '../../core/provider/errors.ts'
import { IdleTimeout } from '../../lib/idle-timeout.ts'
import type { Grant, Slots } from '../../lib/slots.ts'
import { endTranscript } from '../transcript.ts'
import { errorFromChunk, errorFromConnection } from '../upstream/error.ts'
import {
  type Choice,
  type Chunk,
  choicesOf,
  errorIn,
  findUsage,
  unwrap,
  usageOf,
  type WireUsage,
} from './chunk.ts'
import {
  beginAttempt,
  type Completion,
  endCompletion,
  hadNoRoom,
  isKnownEnd,
  takeChoice,
  toFinishReason,
} from './completion.ts'
import { type Ends, isProven, noteReasons } from './ends.ts'
import { asFields } from './fields.ts'
import { checkSize, KEEP_ALIVES, limitChars } from './limits.ts'
import { post, type Target } from './post.ts'
import { type Dialect, type SentBody, toBody } from './request.ts'
import { readAnswer } from './stream.ts'
import { accountFor } from './usage.ts'

/** A server and what this process knows of it. */
export interface Server {
  target: Target
  model: string
  /** Attempts per completion, the first included. */
  attempts: number
  timeoutMs: number
  /** The same for answers that are not streamed: nothing comes until they are whole. */
  wholeTimeoutMs: number
  noStream?: boolean
  extraBody?: Record<string, unknown>
  slots: Slots
  dialect: Dialect
  /** How its answers end. */
  ends: Ends
}

/** What is asked of a server. */
export interface Question {
  server: Server
  request: CompletionRequest
  /** Fires when the caller aborts or stops reading. */
  signal: AbortSignal
}

/** How one request ended. */
export interface Outcome {
  sent: SentBody
  /** The server said that it had said everything. */
  isDone: boolean
  /** A line of the answer that means nothing: it may say what went wrong. */
  stray?: string
  error?: EngineError
}

/** What an answer has brought so far. */
interface Progress {
  target: Target
  request: CompletionRequest
  completions: Completion[]
  grant: Grant
  /** Completions by numbers that are not theirs. */
  strays: Map<number, Completion>
  /** Completions that finished, and whose usage is not known yet. */
  awaitingUsage: Completion[]
  /** Usage that came without saying for which completions. */
  reportedUsage?: WireUsage
  hasUsage: boolean
  isWaitingForUsage: boolean
  /** When something of a completion came last, by `performance.now()`. */
  heardMs: number
  /** Something came since then. */
  hasHeard: boolean
  /** Milliseconds that comments and empty chunks may go on without it. */
  keepAliveMs: number
  /** Characters that a completion may have. */
  maxChars: number
  isDone: boolean
  /** Output tokens of completions that were ended on an estimate. */
  estimatedTokens: number
}

/** Sends one request and reads its answer to the end. Releases slots as completions finish, and all at the end. */
export async function exchange(
  { server, request, signal }: Question,
  completions: Completion[],
  grant: Grant,
): Promise<Outcome> {
  const { target, model, noStream, extraBody } = server
  const seed = completions[0]?.seed ?? 0
  const sent = toBody(request, { model, seed, n: completions.length, dialect: { ...server.dialect } })
  const body: SentBody['body'] = { ...sent.body, ...(noStream && { stream: false }), ...extraBody }
  if (!body.stream) delete body.stream_options
  const timeoutMs = body.stream ? server.timeoutMs : server.wholeTimeoutMs
  const asked = { target, request, completions, grant }
  const progress: Progress = {
    ...asked,
    strays: new Map(),
    awaitingUsage: [],
    hasUsage: false,
    isWaitingForUsage: false,
    heardMs: performance.now(),
    hasHeard: false,
    keepAliveMs: KEEP_ALIVES * server.timeoutMs,
    maxChars: limitChars(request.sampling.maxTokens),
    isDone: false,
    estimatedTokens: 0,
  }
  for (const completion of completions) beginAttempt(completion, sent.warnings)
  if (completions[0]) completions[0].calls++
  const problem = `nothing came from the server for ${timeoutMs} ms`
  const idle = new IdleTimeout(timeoutMs, () => new EngineError(target.id, 'timeout', problem), signal)
  let error: EngineError | undefined
  let stray: string | undefined
  try {
    const reply = await idle.wait(post(target, body, idle.signal))
    const take = (chunk: Chunk) => takeChunk(progress, chunk)
    const endRead = (isDone: boolean) => {
      if (isOver(progress, isDone)) return true
      if (!progress.isWaitingForUsage && areFinished(progress)) waitForUsage(progress, idle)
      else idle.restart()
      return false
    }
    stray = await idle.wait(readAnswer(target.id, reply, { take, endRead }))
  } catch (thrown) {
    error = toEngineError(target.id, thrown, idle.signal)
  } finally {
    idle.end()
    grant.release()
  }
  if (!error) awaitProven(progress, server.ends)
  endAwaiting(progress)
  return { sent, isDone: progress.isDone, stray, error }
}

/** @throws an error that is neither the server's nor the connection's: one of this program fails the whole call */
function toEngineError(engine: string, thrown: unknown, { aborted, reason }: AbortSignal): EngineError {
  const cause: unknown = aborted ? reason : thrown
  if (cause instanceof EngineError) return cause
  if (aborted) return errorFromConnection(engine, cause)
  throw cause
}

/** Milliseconds that a server has to report the usage of completions that have finished. */
const USAGE_MS = 5_000

function waitForUsage(progress: Progress, idle: IdleTimeout): void {
  progress.isWaitingForUsage = true
  idle.change(USAGE_MS, () => new EngineError(progress.target.id, 'timeout', 'no usage came'))
}

/** Whether only the usage may still come. */
function areFinished({ completions }: Progress): boolean {
  return completions.every(({ received }) => received.isSettled)
}

/**
 * Whether nothing more is expected after a read; `isDone` is the server's word that it has said all.
 * @throws EngineError if only signs of life came for long
 */
function isOver(progress: Progress, isDone: boolean): boolean {
  const { target, keepAliveMs } = progress
  const nowMs = performance.now()
  if (progress.hasHeard) progress.heardMs = nowMs
  progress.hasHeard = false
  if (nowMs - progress.heardMs > keepAliveMs) {
    const problem = `nothing but signs of life came from the server for ${keepAliveMs} ms`
    throw new EngineError(target.id, 'timeout', problem)
  }
  progress.isDone ||= isDone
  if (progress.request.endsEarly && !areFinished(progress)) endEarly(progress)
  return isDone || progress.completions.every((completion) => completion.hasEnded)
}

/** @throws UpstreamError for an error in the stream */
function takeChunk(progress: Progress, sent: Chunk): void {
  const { target, grant, completions } = progress
  const chunk = unwrap(sent)
  const error = errorIn(chunk)
  if (error !== undefined) throw errorFromChunk(target.id, error, target.apiKey)
  const choices = choicesOf(chunk)
  const areNumbered = choices.length === 1 || new Set(choices.map((choice) => choice?.index)).size > 1
  for (let i = 0; i < choices.length; i++) {
    const choice = choices[i]
    const completion = choice && findCompletion(progress, areNumbered ? choice.index : i, i)
    if (completion && settles(progress, completion, choice)) grant.release(1)
  }
  const figures = findUsage(chunk, choices[0])
  const usage = figures && usageOf(figures)
  if (!usage) return
  progress.reportedUsage = figures === choices[0]?.usage ? addUsage(progress.reportedUsage, usage) : usage
  progress.hasUsage = true
  if (choices.length > 0) return
  // A chunk of its own stands for all that finished since the last one: llama-server sends one after each completion.
  for (const completion of completions) if (isKnownEnd(completion.received)) awaitUsage(progress, completion)
  endAwaiting(progress)
}

/** Figures that each choice has of its own: the prompt counts once. */
function addUsage(sofar: WireUsage | undefined, usage: WireUsage): WireUsage {
  const outputs = (sofar?.completion_tokens ?? 0) + (usage.completion_tokens ?? 0)
  return { ...usage, completion_tokens: outputs }
}

/** Takes a choice, and returns whether its completion settled with it: then little but the usage is expected. */
function settles(progress: Progress, completion: Completion, choice: Choice): boolean {
  const { target, maxChars, request } = progress
  const { received, hasEnded } = completion
  if (hasEnded) return false
  const wasSettled = received.isSettled
  const error = choice.error || asFields(choice.delta).error || asFields(choice.message).error
  if (error) throw errorFromChunk(target.id, error, target.apiKey)
  const { chars } = received
  takeChoice(completion, choice)
  if (received.chars > chars || received.finishReason) progress.hasHeard = true
  if (hadNoRoom(received)) {
    const message = `finish reason "${received.finishReason}" with no text`
    throw errorFromChunk(target.id, { message, status: 400 })
  }
  checkSize(received, { engine: target.id, maxChars, request })
  if (wasSettled || !received.isSettled) return false
  awaitUsage(progress, completion)
  return true
}

/** The completion of a choice. A number that no completion has (some servers count from 1) stands for a free one. */
function findCompletion(progress: Progress, index: unknown, place: number): Completion | undefined {
  const { completions, strays } = progress
  const number = typeof index === 'string' ? Number(index) : index
  const named = typeof number === 'number' ? number : place
  const completion = completions[named] ?? strays.get(named)
  if (completion) return completion
  const free = completions.find(({ received }) => !received.hasBegun)
  if (free) strays.set(named, free)
  return free
}

function awaitUsage({ awaitingUsage }: Progress, completion: Completion): void {
  const isKnown = completion.hasEnded || awaitingUsage.includes(completion)
  if (!isKnown && toFinishReason(completion.received)) awaitingUsage.push(completion)
}

/** After an answer that came to its end: takes the completions that are whole, whether the server says so or not. */
function awaitProven(progress: Progress, ends: Ends): void {
  const { completions, isDone, hasUsage } = progress
  noteReasons(ends, completions)
  const open = completions.filter((completion) => !completion.hasEnded)
  for (const completion of open) {
    if (isProven(completion, ends, isDone || hasUsage)) awaitUsage(progress, completion)
  }
}

/** Ends the completions whose usage was awaited, with what the server reported since the last time, if anything. */
function endAwaiting(progress: Progress): number {
  const { request, completions, awaitingUsage, reportedUsage: reported, estimatedTokens } = progress
  if (awaitingUsage.length === 0) return 0
  const sum = reported?.completion_tokens ?? undefined
  const rest =
    sum === undefined ? reported : { ...reported, completion_tokens: Math.max(0, sum - estimatedTokens) }
  awaitingUsage.sort((a, b) => a.index - b.index)
  let outputTokens = 0
  for (const { received } of awaitingUsage) endTranscript(received)
  for (const [completion, usage] of accountFor(awaitingUsage, rest, request)) {
    if (usage.calls > 0) usage.sharedBy = completions.filter(({ received }) => received.hasBegun).length
    endCompletion(completion, usage, request)
    outputTokens += usage.outputTokens
  }
  progress.awaitingUsage = []
  progress.reportedUsage = undefined
  return outputTokens
}

/** Ends completions before their server reports their usage; the last one's share is right again. */
function endEarly(progress: Progress): void {
  progress.reportedUsage = undefined
  progress.estimatedTokens += endAwaiting(progress)
}
