import { EngineError } from '../../core/provider/errors.ts'
import { IdleTimeout } from '../../lib/idle-timeout.ts'
import type { Grant } from '../../lib/slots.ts'
import { errorFromChunk, errorFromConnection } from '../upstream/error.ts'
import { stringify } from '../upstream/error-body.ts'
import type { Alike } from './alike.ts'
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
import { beginAttempt, type Completion, countChars, hadNoRoom, isKnownEnd, takeChoice } from './completion.ts'
import {
  areFinished,
  awaitUsage,
  type Ending,
  endAwaiting,
  endEarly,
  endProven,
  reopenGrown,
} from './ending.ts'
import { asFields } from './fields.ts'
import type { Take } from './framing.ts'
import { checkSize, KEEP_ALIVES, limitChars } from './limits.ts'
import { post, type Target } from './post.ts'
import type { Asked, Outcome, Question, Server } from './question.ts'
import { type Quick, takeText, toQuick } from './quick.ts'
import type { SentBody } from './request.ts'
import { sessionHeaders } from './session.ts'
import { readAnswer } from './stream.ts'

/** What an answer has brought so far. */
interface Progress extends Ending {
  target: Target
  grant: Grant
  /** Completions by numbers that are not theirs. */
  strays: Map<number, Completion>
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
  /** An object that is no chunk of a chat completion. */
  other?: Chunk
  /** How chunks are taken that are like an earlier one. */
  quick: WeakMap<Alike, Quick | undefined>
}

/** Sends one request and reads its answer to the end. Releases slots as completions finish, and all at the end. */
export async function exchange(
  { server, request, signal }: Question,
  { completions, sent, grant, onTaken }: Asked,
): Promise<Outcome> {
  const { target, noStream, extraBody } = server
  const body: SentBody['body'] = { ...sent.body, ...(noStream && { stream: false }), ...extraBody }
  if (!body.stream) delete body.stream_options
  const timeoutMs = body.stream ? server.timeoutMs : server.wholeTimeoutMs
  const progress = expectProgress(server, { target, request, completions, grant })
  const headers = sessionHeaders(server.session ?? {}, request)
  for (const completion of completions) beginAttempt(completion, sent.warnings)
  if (completions[0]) completions[0].calls++
  const problem = `nothing came from the server for ${timeoutMs} ms`
  const idle = new IdleTimeout(timeoutMs, () => new EngineError(target.id, 'timeout', problem), signal)
  let error: EngineError | undefined
  let stray: string | undefined
  const measure = server.level?.begin()
  try {
    const reply = await idle.wait(post(target, body, { signal: idle.signal, headers }))
    onTaken()
    const take: Take = (chunk, alike) => (alike ? takeAlike(progress, alike) : takeChunk(progress, chunk))
    const endRead = (isDone: boolean) => {
      if (isOver(progress, isDone)) return true
      if (!progress.isWaitingForUsage && areFinished(progress)) waitForUsage(progress, idle)
      else idle.restart()
      return false
    }
    stray = await idle.wait(readAnswer(target.id, reply, { take, endRead, isPatient: request.endsOnly }))
  } catch (thrown) {
    error = toEngineError(target.id, thrown, idle.signal)
  } finally {
    idle.end()
    clearTimeout(progress.timer)
    grant.release()
  }
  if (error?.kind === 'rate-limit') measure?.refuse()
  if (!error) measure?.end(countChars(completions), completions.length)
  const { isDone, hasUsage, other } = progress
  if (error) reopenGrown(progress)
  else endProven(progress, isDone || hasUsage)
  endAwaiting(progress)
  return { sent, isDone, stray, other: other && stringify(other).slice(0, 200), error }
}

function expectProgress(
  { timeoutMs, ends }: Server,
  asked: Pick<Progress, 'target' | 'request' | 'completions' | 'grant'>,
): Progress {
  return {
    ...asked,
    ends,
    strays: new Map(),
    awaitingUsage: [],
    early: [],
    hasUsage: false,
    isWaitingForUsage: false,
    heardMs: performance.now(),
    hasHeard: false,
    keepAliveMs: KEEP_ALIVES * timeoutMs,
    maxChars: limitChars(asked.request.sampling.maxTokens),
    isDone: false,
    quick: new WeakMap(),
  }
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
  if (progress.request.endsEarly) endEarly(progress)
  return isDone || (progress.early.length === 0 && progress.completions.every(({ hasEnded }) => hasEnded))
}

/** Takes a chunk that is like an earlier one. */
function takeAlike(progress: Progress, alike: Alike): void {
  const { quick, target, maxChars, request } = progress
  const known = quick.get(alike)
  if (!known) {
    takeChunk(progress, alike.chunk)
    if (!quick.has(alike)) quick.set(alike, toQuick(alike.chunk, alike, findAlike(progress, alike)))
  } else if (takeText(known, alike.holder[alike.name] as string)) {
    progress.hasHeard = true
    const { received } = known.completion as Completion
    checkSize(received, { engine: target.id, maxChars, request })
  }
}

function findAlike(progress: Progress, { chunk }: Alike): Completion | undefined {
  return findCompletion(progress, choicesOf(chunk)[0]?.index, 0)
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
  if (!chunk.choices) progress.other ??= chunk
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
  const { received, hasEnded, isEarly } = completion
  if (hasEnded && !isEarly) return false
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
