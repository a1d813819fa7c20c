/** How completions are asked for: in requests that their seeds, the places and the server allow, until each has ended. */
import { setTimeout as wait } from 'node:timers/promises'
import type { OpenAI } from 'openai'
import { type CompletionRequest, type EngineEvent, textOf } from '../../core/provider/engine.ts'
import { EngineError, UsageError } from '../../core/provider/errors.ts'
import { merge } from '../../lib/merge.ts'
import { backoffMs } from '../../lib/retry.ts'
import { Silence } from '../../lib/silence.ts'
import type { Grant, Slots } from '../../lib/slots.ts'
import { type Choice, createChoice, hasBegun } from './choice.ts'
import { readBatches } from './chunks.ts'
import { beginExchange, type Exchange, isComplete, isTail, settle, takeBatch } from './exchange.ts'
import { hops } from './hops.ts'
import { type Dialect, learnFrom, toBody } from './request.ts'
import { readTrouble, type Trouble } from './trouble.ts'
import { accountForFailure } from './usage.ts'

/** A server and what this process knows of it. */
export interface Server {
  id: string
  apiKey?: string
  model: string
  /** Attempts at a completion, the first included. */
  retries: number
  timeoutMs: number
  extraBody?: Record<string, unknown>
  client: OpenAI
  slots: Slots
  dialect: Dialect
  hasAnswered: boolean
}

/** One call of `generate`. */
interface Job {
  server: Server
  request: CompletionRequest
  /** Of its first place: what it asks for again does not go to the end of the queue. */
  turn?: number
  hasBegun: boolean
}

/** Completions of one server: asked for, taken in, and asked for again where that may help. */
export async function* generate(server: Server, request: CompletionRequest): AsyncGenerator<EngineEvent> {
  const { n, seeds } = request
  if (!(n >= 1) || seeds.length !== n) {
    throw new UsageError(
      `expected n from 1 and a seed for each completion, got n ${n} and ${seeds.length} seeds`,
    )
  }
  const choices = seeds.map((seed, index) => createChoice(index, seed))
  const signal = request.signal ?? new AbortController().signal
  yield* ask({ server, request, hasBegun: false }, choices, signal)
}

/** Asks for completions, in as many requests as their seeds and the server make needful. */
async function* ask(job: Job, choices: Choice[], signal: AbortSignal): AsyncGenerator<EngineEvent> {
  const runs = splitRuns(choices, job.server.dialect.maxChoices)
  if (runs.length === 1 && runs[0]) yield* askRun(job, runs[0], signal)
  else yield* merge((stop) => runs.map((run) => askRun(job, run, stop)), signal)
}

/** Runs of consecutive seeds, none longer than `limit`. */
function splitRuns(choices: Choice[], limit: number): Choice[][] {
  const runs: Choice[][] = []
  for (const choice of choices) {
    const run = runs.at(-1)
    if (run && run.length < limit && run.at(-1)?.seed === choice.seed - 1) run.push(choice)
    else runs.push([choice])
  }
  return runs
}

/**
 * Asks for a run in one request; where fewer places are free, for as many, and for the rest in another. A long prompt
 * waits until there are enough places: each further request reads, and bills, it again.
 */
async function* askRun(job: Job, run: Choice[], signal: AbortSignal): AsyncGenerator<EngineEvent> {
  const { slots } = job.server
  const { priority } = job.request
  let grant: Grant
  try {
    grant = await slots.take(run.length, {
      priority,
      turn: job.turn,
      least: isShort(job.request) ? 1 : run.length,
      signal,
    })
  } catch (cause) {
    return yield* fail(job, run, abortion(job, cause))
  }
  job.turn ??= grant.turn
  const rest = run.slice(grant.count)
  if (rest.length === 0) return yield* attempt(job, run, grant, signal)
  const now = run.slice(0, grant.count)
  yield* merge((stop) => [attempt(job, now, grant, stop), askRun(job, rest, stop)], signal)
}

/** Characters up to which reading a prompt again costs less than a place that stays empty. */
const SHORT_PROMPT_CHARS = 1_000

function isShort({ messages }: CompletionRequest): boolean {
  const isText = messages.every(
    ({ content }) => !Array.isArray(content) || content.every((p) => p.type === 'text'),
  )
  return isText && messages.reduce((sum, message) => sum + textOf(message).length, 0) <= SHORT_PROMPT_CHARS
}

/** Milliseconds that a server has to tell the usage of completions that have ended. */
const TAIL_MS = 5_000

/** Sends one request. What it leaves open is asked for again, if that may help. */
async function* attempt(
  job: Job,
  choices: Choice[],
  grant: Grant,
  signal: AbortSignal,
): AsyncGenerator<EngineEvent> {
  const { server, request } = job
  const { id, apiKey, timeoutMs } = server
  const onSilence = () => new EngineError(id, 'timeout', `nothing came from the server for ${timeoutMs} ms`)
  const silence = new Silence(timeoutMs, onSilence, signal)
  const dialect = { ...server.dialect }
  const exchange = beginExchange({ id, apiKey, request }, choices)
  let trouble: Trouble | undefined
  try {
    const response = await silence.hear(send(server, request, choices, silence.signal))
    server.hasAnswered = true
    const reading = {
      hear: <T>(read: PromiseLike<T>) => hear(read, exchange, silence),
      isEnough: () => isComplete(exchange),
    }
    for await (const batch of readBatches(id, response, reading)) {
      grant.release(takeBatch(exchange, batch))
      yield* tell(job, exchange)
    }
  } catch (cause) {
    trouble = readTrouble(id, silence.signal.aborted ? silence.signal.reason : cause, apiKey)
    if (trouble.error.status !== undefined) server.hasAnswered = true
  } finally {
    silence.end()
    grant.release()
  }
  settle(exchange)
  yield* tell(job, exchange)
  yield* recover(job, exchange, trouble, dialect, signal)
}

function send(
  server: Server,
  request: CompletionRequest,
  choices: Choice[],
  signal: AbortSignal,
): Promise<Response> {
  const { model, dialect, extraBody } = server
  const body = toBody(request, { model, seed: choices[0]?.seed ?? 0, n: choices.length, dialect })
  const call = server.client.post('/chat/completions', {
    body: { ...body, ...extraBody },
    stream: true,
    signal,
    headers: countHops(),
  })
  return call.asResponse()
}

/** Within a server the count goes on from the request that is answered. */
function countHops(): Record<string, string> | undefined {
  const count = hops.getStore()
  return count === undefined ? undefined : { 'x-aft-hops': String(count) }
}

/** Waits for a read, and not for long where only the usage may still come. */
async function hear<T>(read: PromiseLike<T>, exchange: Exchange, silence: Silence): Promise<T> {
  if (!isTail(exchange)) return silence.hear(read)
  const tail = new Silence(
    TAIL_MS,
    () => new EngineError(exchange.id, 'timeout', 'no usage came'),
    silence.signal,
  )
  try {
    return await tail.hear(read)
  } finally {
    tail.end()
  }
}

async function* tell(job: Job, exchange: Exchange): AsyncGenerator<EngineEvent> {
  const { events } = exchange
  exchange.events = []
  for (const event of events) {
    job.hasBegun = true
    yield event
  }
}

/** Goes on with what a request left open. */
async function* recover(
  job: Job,
  { id, choices, ended, isDone }: Exchange,
  trouble: Trouble | undefined,
  asked: Dialect,
  signal: AbortSignal,
): AsyncGenerator<EngineEvent> {
  const open = choices.filter((choice) => !ended.has(choice))
  if (open.length === 0) return
  const isRefused = trouble?.error.status !== undefined || trouble?.isUnconnected
  if (open[0] && open[0] === choices[0] && !isRefused) open[0].prefilledTokens = null
  if (signal.aborted) return yield* fail(job, open, abortion(job, signal.reason))
  const { dialect } = job.server
  if (trouble) {
    if (learnFrom(trouble, asked, dialect, choices.length)) return yield* ask(job, open, signal)
    const isUnclear = trouble.error.kind === 'refused' && choices.length > 1
    return yield* isUnclear ? askOneFirst(job, open, trouble, signal) : retry(job, open, trouble, signal)
  }
  const missing = isDone && ended.size > 0 ? open.filter(({ draft }) => !draft.hasCome) : []
  if (missing.length > 0) dialect.maxChoices = Math.min(dialect.maxChoices, choices.length - missing.length)
  const broken = open.filter((choice) => !missing.includes(choice))
  if (broken.length === 0) return yield* ask(job, missing, signal)
  const half = halfAnswer(id, broken)
  if (missing.length === 0) return yield* retry(job, broken, half, signal)
  yield* merge((stop) => [ask(job, missing, stop), retry(job, broken, half, stop)], signal)
}

function halfAnswer(id: string, [first]: Choice[]): Trouble {
  const reason = first?.draft.finishReason
  const message = reason
    ? `the server ended it with "${reason}"`
    : 'the answer ended before the completion did'
  return { error: new EngineError(id, 'server', message), message }
}

/** A refusal may be about `n` and not say so: then one alone is taken. */
async function* askOneFirst(
  job: Job,
  [first, ...others]: Choice[],
  { error }: Trouble,
  signal: AbortSignal,
): AsyncGenerator<EngineEvent> {
  let isRefused = false
  for await (const event of first ? ask(job, [first], signal) : []) {
    if (event.type === 'completion-end') job.server.dialect.maxChoices = 1
    if (event.type === 'completion-failed') isRefused = event.error.status === error.status
    yield event
  }
  yield* isRefused ? fail(job, others, error) : ask(job, others, signal)
}

/** Attempts at an address where nobody has ever answered: it is likely wrong. */
const UNCONNECTED_ATTEMPTS = 3

async function* retry(
  job: Job,
  choices: Choice[],
  { error, askedMs, isUnconnected }: Trouble,
  signal: AbortSignal,
): AsyncGenerator<EngineEvent> {
  const { retries, hasAnswered } = job.server
  const limit = isUnconnected && !hasAnswered ? Math.min(retries, UNCONNECTED_ATTEMPTS) : retries
  for (const choice of choices) choice.failures++
  const isFinal = ({ failures }: Choice) => !error.isRetryable || failures >= limit
  yield* fail(job, choices.filter(isFinal), error)
  const again = choices.filter((choice) => !isFinal(choice))
  if (again.length === 0) return
  for (const { index, draft } of again) {
    if (hasBegun(draft)) yield { type: 'completion-restarted', index, reason: error.message }
  }
  const failures = Math.max(...again.map((choice) => choice.failures))
  await wait(backoffMs(failures, askedMs), undefined, { signal }).catch(() => {})
  yield* ask(job, again, signal)
}

/** Ends completions without an answer. A prompt that is too long for all of them is an error of the request. */
async function* fail(job: Job, choices: Choice[], error: EngineError): AsyncGenerator<EngineEvent> {
  if (error.kind === 'context-overflow' && !job.hasBegun) throw error
  for (const choice of choices) {
    const usage = accountForFailure(choice, job.request)
    yield { type: 'completion-failed', index: choice.index, error, usage }
  }
}

function abortion({ server }: Job, cause: unknown): EngineError {
  return new EngineError(server.id, 'aborted', 'the request was aborted', { cause })
}
