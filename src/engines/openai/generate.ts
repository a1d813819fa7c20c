/** The completions of one call: asked for in requests as the seeds, the slots and the server allow, and retried. */
import { setTimeout as wait } from 'node:timers/promises'
import { type CompletionRequest, type EngineEvent, textOf } from '../../core/provider/engine.ts'
import { EngineError, UsageError } from '../../core/provider/errors.ts'
import { createChannel } from '../../lib/channel.ts'
import { backoffMs } from '../../lib/retry.ts'
import type { Grant, Slots } from '../../lib/slots.ts'
import { errorFromChunk, UpstreamError } from '../upstream/error.ts'
import { type Completion, createCompletion, hasStreamed } from './completion.ts'
import { exchange } from './exchange.ts'
import { type Outcome, type Question, type Server, toSent } from './question.ts'
import { checkRaw } from './raw.ts'
import { learnFrom, limitN } from './request.ts'
import { accountForFailure } from './usage.ts'

/** One call of `generate`. Its signal fires when the call fails, too. */
interface Call extends Question {
  emit(event: EngineEvent): void
  /** Ends the whole call with an error. */
  fail(error: EngineError): void
  /** An event was emitted that is not a failure. */
  hasBegun: boolean
  /** Its place in the queue for slots: retries do not go to the end. */
  turn?: number
}

/** The events of all completions of a request. Work begins with the iteration, and stops if it ends early. */
export function generate(server: Server, request: CompletionRequest): AsyncIterable<EngineEvent> {
  // Plain iterators: an async generator takes as much time per event as all else that happens to it.
  return { [Symbol.asyncIterator]: () => start(server, request) }
}

function start(server: Server, request: CompletionRequest): AsyncIterator<EngineEvent> {
  const { n, seeds, signal } = request
  if (!(n >= 1) || seeds.length !== n) {
    throw new UsageError(
      `expected n from 1 and a seed for each completion, got n ${n} and ${seeds.length} seeds`,
    )
  }
  if (server.isRaw) checkRaw(request, server.target.id)
  const events = createChannel<EngineEvent>()
  const stop = new AbortController()
  const onAbort = () => stop.abort(signal?.reason)
  if (signal?.aborted) onAbort()
  signal?.addEventListener('abort', onAbort, { once: true })
  let failure: unknown
  const fail = (error: unknown) => {
    failure ??= error
    stop.abort(error)
  }
  const call: Call = { server, request, emit, fail, hasBegun: false, signal: stop.signal }
  function emit(event: EngineEvent): void {
    if (failure !== undefined) return
    call.hasBegun ||= !isNoText(event)
    if (!request.endsOnly || !isDelta(event)) events.push(event)
  }
  const completions = seeds.map((seed, index) =>
    createCompletion(index, seed, { emit, tools: request.tools, isPlain: server.isRaw }),
  )
  const end = () => {
    signal?.removeEventListener('abort', onAbort)
    events.end(failure)
  }
  const work = complete(call, completions).catch(fail).then(end)
  const leave = async () => {
    stop.abort('the reader left')
    await work
    return { done: true as const, value: undefined }
  }
  return { next: events[Symbol.asyncIterator]().next, return: leave }
}

/** What comes without a word of a completion. */
function isNoText({ type }: EngineEvent): boolean {
  return type === 'completion-failed' || type === 'completion-waiting' || type === 'request-changed'
}

function isDelta({ type }: EngineEvent): boolean {
  return type === 'completion-delta' || type === 'reasoning-delta' || type === 'tool-call-delta'
}

/** Asks for completions, in as few requests as their seeds and the server's limit on `n` allow. */
async function complete(call: Call, completions: Completion[]): Promise<void> {
  const runs = splitIntoRuns(completions, limitN(call.request, call.server.dialect))
  await Promise.all(runs.map((run) => completeRun(call, run)))
}

/** Runs of consecutive seeds, none longer than `limit`. */
function splitIntoRuns(completions: Completion[], limit: number): Completion[][] {
  const runs: Completion[][] = []
  for (const completion of completions) {
    const run = runs.at(-1)
    if (run && run.length < limit && run.at(-1)?.seed === completion.seed - 1) run.push(completion)
    else runs.push([completion])
  }
  return runs
}

/**
 * Asks for a run in one request; if fewer slots are free, for as many completions as there are slots, and for the rest
 * in another. A long prompt waits until there are enough slots: each further request reads, and bills, it again.
 */
async function completeRun(call: Call, run: Completion[]): Promise<void> {
  const { request, server, signal } = call
  const least = isShort(request) ? Math.min(run.length, 1 + sparable(server.slots)) : run.length
  let grant: Grant
  try {
    grant = await server.slots.take(run.length, {
      priority: request.priority,
      turn: call.turn,
      least,
      signal,
    })
  } catch (cause) {
    return failAll(call, run, abortion(call, cause))
  }
  call.turn ??= grant.turn
  const rest = run.slice(grant.count)
  await Promise.all([
    attempt(call, run.slice(0, grant.count), grant),
    rest.length > 0 && completeRun(call, rest),
  ])
}

/** Slots that may stay empty for a request to be whole: of hundreds a few cost less than a request for each of them. */
function sparable({ capacity }: Slots): number {
  return Math.floor(capacity / 50)
}

/** Up to this many characters, to read a prompt again costs less than a slot that stays empty. */
const SHORT_PROMPT_CHARS = 1_000

function isShort({ messages }: CompletionRequest): boolean {
  const isText = messages.every(
    ({ content }) => !Array.isArray(content) || content.every((part) => part.type === 'text'),
  )
  return isText && messages.reduce((sum, message) => sum + textOf(message).length, 0) <= SHORT_PROMPT_CHARS
}

/** Sends one request, then continues with what it leaves open. */
async function attempt(call: Call, completions: Completion[], grant: Grant): Promise<void> {
  const { scouts } = call.server
  const { made: sent, end: onTaken } = await scouts.enter(() => toSent(call, completions), call.signal)
  const outcome = await exchange(call, { completions, sent, grant, onTaken })
  const open = completions.filter((completion) => !completion.hasEnded)
  const rest = open.length > 0 && recover(call, { completions, open, ...outcome })
  onTaken() // by now a refusal has taught what it can
  await rest
}

/** A request that left completions open. */
interface Unfinished extends Outcome {
  completions: Completion[]
  open: Completion[]
}

/** Decides what happens to the completions that a request left open. */
async function recover(call: Call, unfinished: Unfinished): Promise<void> {
  const { completions, open, sent, error } = unfinished
  const [first] = open
  if (first && first === completions[0] && !wasRefused(error)) first.prefilledTokens = null
  if (call.signal.aborted) return failAll(call, open, abortion(call, call.signal.reason))
  if (!error) return recoverFromHalfAnswer(call, unfinished)
  const { dialect } = call.server
  const { length: known } = dialect.lessons
  if (learnFrom(error, sent, dialect, { n: completions.length, request: call.request })) {
    const { index = 0 } = first ?? {}
    for (const { text: reason } of dialect.lessons.slice(known))
      call.emit({ type: 'request-changed', index, reason })
    return complete(call, open)
  }
  const mayBeAboutN = error.kind === 'refused' && completions.length > 1
  return mayBeAboutN ? tryOneFirst(call, open, error) : retry(call, open, error)
}

/** Whether the server evaluated nothing for certain. */
function wasRefused(error: EngineError | undefined): boolean {
  return error !== undefined && (error.status !== undefined || isUnconnected(error))
}

function isUnconnected(error: EngineError): boolean {
  return error instanceof UpstreamError && error.details.isUnconnected === true
}

/** The answer came to its end, but not all completions did: some servers give fewer than `n`. */
async function recoverFromHalfAnswer(call: Call, unfinished: Unfinished): Promise<void> {
  const { completions, open, isDone } = unfinished
  const { dialect, target } = call.server
  const isAnyComplete = open.length < completions.length
  const missing = isDone && isAnyComplete ? open.filter(({ received }) => !received.hasBegun) : []
  if (missing.length > 0) dialect.maxN = Math.min(dialect.maxN, completions.length - missing.length)
  const broken = open.filter((completion) => !missing.includes(completion))
  await Promise.all([
    complete(call, missing),
    broken.length > 0 && retry(call, broken, halfAnswer(target.id, broken, unfinished)),
  ])
}

function halfAnswer(
  engine: string,
  [first]: Completion[],
  { isDone, stray, other }: Unfinished,
): EngineError {
  const { finishReason: reason, hasBegun } = first?.received ?? {}
  if (stray !== undefined && !reason) return errorFromChunk(engine, stray)
  if (other !== undefined && !hasBegun) {
    const expected = `expected an answer of the interface chat completions, and the server sent ${other}`
    return new EngineError(engine, 'server', expected, { isRetryable: !isDone })
  }
  const problem = reason
    ? `the server ended it with "${reason}"`
    : !hasBegun
      ? 'the answer ended with nothing of the completion in it'
      : isDone
        ? 'the server sent [DONE] without a finish reason'
        : 'the answer ended before the completion did'
  return new EngineError(engine, 'server', problem)
}

/** A refusal may be about `n` and not say so: asks for one completion alone, to see. */
async function tryOneFirst(call: Call, [first, ...others]: Completion[], error: EngineError): Promise<void> {
  if (!first) return
  await complete(call, [first])
  if (first.hasEnded) call.server.dialect.maxN = 1
  if (first.error?.status === error.status) failAll(call, others, error)
  else await complete(call, others)
}

/** Attempts at an address that has never answered: it is likely wrong. */
const UNCONNECTED_ATTEMPTS = 3

function attemptsFor(error: EngineError): number {
  return (error instanceof UpstreamError && error.details.attempts) || Number.POSITIVE_INFINITY
}

async function retry(call: Call, completions: Completion[], error: EngineError): Promise<void> {
  const { attempts, target } = call.server
  const few = isUnconnected(error) && !target.hasAnswered ? UNCONNECTED_ATTEMPTS : attemptsFor(error)
  const limit = Math.min(attempts, few)
  for (const completion of completions) completion.failedAttempts++
  const retryAfterMs = error instanceof UpstreamError ? error.details.retryAfterMs : undefined
  const isTooLong = (retryAfterMs ?? 0) > (call.request.maxWaitMs ?? Number.POSITIVE_INFINITY)
  const isFinal = ({ failedAttempts }: Completion) =>
    !error.isRetryable || isTooLong || failedAttempts >= limit
  failAll(call, completions.filter(isFinal), error)
  const again = completions.filter((completion) => !isFinal(completion))
  if (again.length === 0) return
  const { kind, message: reason } = error
  const ms = backoffMs(Math.max(...again.map(({ failedAttempts }) => failedAttempts)), retryAfterMs)
  for (const completion of again) {
    const { index, failedAttempts } = completion
    if (hasStreamed(completion)) call.emit({ type: 'completion-restarted', index, reason })
    call.emit({ type: 'completion-waiting', index, attempt: failedAttempts + 1, ms, kind, reason })
  }
  await wait(ms, undefined, { signal: call.signal }).catch(() => {})
  await complete(call, again)
}

/** Ends completions without an answer. A prompt that is too long for all of them fails the whole call. */
function failAll(call: Call, completions: Completion[], error: EngineError): void {
  if (completions.length === 0) return
  if (error.kind === 'context-overflow' && !call.hasBegun) call.fail(error)
  for (const completion of completions) {
    completion.error = error
    const usage = accountForFailure(completion, call.request)
    call.emit({ type: 'completion-failed', index: completion.index, error, usage })
  }
}

function abortion({ server }: Call, cause: unknown): EngineError {
  return new EngineError(server.target.id, 'aborted', 'the request was aborted', { cause })
}
