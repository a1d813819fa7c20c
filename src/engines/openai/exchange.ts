/** One request for some completions, and what its answer brings. */
import type { CompletionRequest } from '../../core/provider/engine.ts'
import { EngineError } from '../../core/provider/errors.ts'
import { IdleTimeout } from '../../lib/idle-timeout.ts'
import type { Grant, Slots } from '../../lib/slots.ts'
import { errorFromChunk, errorFromConnection } from '../upstream-error.ts'
import {
  beginAttempt,
  type Completion,
  endCompletion,
  isFinished,
  takeChoice,
  toFinishReason,
} from './completion.ts'
import { post, type Target } from './post.ts'
import { type Dialect, toBody } from './request.ts'
import { type Batch, type Chunk, type ChunkChoice, readAnswer, type WireUsage } from './stream.ts'
import { accountFor } from './usage.ts'

/** A server and what this process knows of it. */
export interface Server {
  target: Target
  model: string
  /** Attempts per completion, the first included. */
  attempts: number
  timeoutMs: number
  extraBody?: Record<string, unknown>
  slots: Slots
  dialect: Dialect
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
  /** The dialect in which it was sent. */
  sent: Dialect
  /** The server said that it had said everything. */
  isDone: boolean
  error?: EngineError
}

/** What an answer has brought so far. */
interface Progress {
  target: Target
  request: CompletionRequest
  completions: Completion[]
  grant: Grant
  /** Completions that finished, and whose usage is not known yet. */
  awaitingUsage: Completion[]
  /** Usage that came without saying for which completions. */
  reportedUsage?: WireUsage
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
  const { target, model, timeoutMs, extraBody } = server
  const sent = { ...server.dialect }
  const seed = completions[0]?.seed ?? 0
  const body = { ...toBody(request, { model, seed, n: completions.length, dialect: sent }), ...extraBody }
  const asked = { target, request, completions, grant }
  const progress: Progress = { ...asked, awaitingUsage: [], isDone: false, estimatedTokens: 0 }
  for (const completion of completions) beginAttempt(completion)
  if (completions[0]) completions[0].calls++
  const problem = `nothing came from the server for ${timeoutMs} ms`
  const idle = new IdleTimeout(timeoutMs, () => new EngineError(target.id, 'timeout', problem), signal)
  let error: EngineError | undefined
  try {
    const response = await idle.wait(post(target, body, idle.signal))
    await readAnswer(target.id, response, {
      wait: (read) => (areFinished(progress) ? waitForUsage(read, target.id, idle.signal) : idle.wait(read)),
      take: (batch) => takeBatch(progress, batch),
    })
  } catch (thrown) {
    const cause = idle.signal.aborted ? idle.signal.reason : thrown
    error = cause instanceof EngineError ? cause : errorFromConnection(target.id, cause)
  } finally {
    idle.end()
    grant.release()
  }
  endAwaiting(progress)
  return { sent, isDone: progress.isDone, error }
}

/** Milliseconds that a server has to report the usage of completions that have finished. */
const USAGE_MS = 5_000

async function waitForUsage<T>(read: PromiseLike<T>, engine: string, signal: AbortSignal): Promise<T> {
  const idle = new IdleTimeout(USAGE_MS, () => new EngineError(engine, 'timeout', 'no usage came'), signal)
  try {
    return await idle.wait(read)
  } finally {
    idle.end()
  }
}

/** Whether only the usage may still come. */
function areFinished({ completions }: Progress): boolean {
  return completions.every(isFinished)
}

/**
 * Takes what a read brought. True if nothing more is expected.
 * @throws UpstreamError for an error object in the stream
 */
function takeBatch(progress: Progress, { chunks, isDone }: Batch): boolean {
  for (const chunk of chunks) takeChunk(progress, chunk)
  if (isDone) progress.isDone = true
  if (progress.request.endsEarly && !areFinished(progress)) endEarly(progress)
  return isDone || progress.completions.every((completion) => completion.hasEnded)
}

function takeChunk(progress: Progress, chunk: Chunk): void {
  const { target, grant } = progress
  const error = chunk.object === 'error' ? chunk : chunk.error
  if (error) throw errorFromChunk(target.id, error, target.apiKey)
  const choices = chunk.choices ?? []
  for (const choice of choices) if (choice && finishes(progress, choice)) grant.release(1)
  if (!chunk.usage) return
  progress.reportedUsage = chunk.usage
  // A chunk of its own stands for all that finished since the last one: llama-server sends one after each completion.
  if (choices.length === 0) endAwaiting(progress)
}

/** Takes a choice, and returns whether its completion finished with it. After a finish reason nothing is taken. */
function finishes({ completions, awaitingUsage }: Progress, choice: ChunkChoice): boolean {
  const completion = completions[choice.index ?? 0]
  if (!completion || isFinished(completion)) return false
  takeChoice(completion, choice)
  if (!isFinished(completion)) return false
  if (toFinishReason(completion.received)) awaitingUsage.push(completion)
  return true
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
