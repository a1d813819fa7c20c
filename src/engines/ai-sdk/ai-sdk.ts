/** Any AI SDK language model as an engine. The AI SDK itself is not needed to run it, only its types. */
import { setTimeout as wait } from 'node:timers/promises'
import type {
  LanguageModelV2,
  LanguageModelV3,
  LanguageModelV4,
  LanguageModelV4CallOptions,
} from '@ai-sdk/provider'
import {
  type CompletionEnd,
  type CompletionRequest,
  type Engine,
  type EngineEvent,
  textOf,
  type Usage,
} from '../../core/provider/engine.ts'
import { EngineError, UsageError } from '../../core/provider/errors.ts'
import { IdleTimeout } from '../../lib/idle-timeout.ts'
import { merge } from '../../lib/merge.ts'
import { backoffMs } from '../../lib/retry.ts'
import { createSlots, type Slots } from '../../lib/slots.ts'
import { addLesson, isLesson, readLesson } from '../upstream/refusals.ts'
import { createScouts, type Scouts } from '../upstream/scouts.ts'
import { toEngineError } from './errors.ts'
import { type CalledModel, type SentCall, toCall } from './request.ts'
import { readCompletion, type StreamPart } from './stream.ts'
import { partsOf } from './whole.ts'

/** A language model of `@ai-sdk/provider`, specification v2, v3 or v4. */
export type AiSdkModel = LanguageModelV2 | LanguageModelV3 | LanguageModelV4

/** Settings of an engine on an AI SDK model. */
export interface AiSdkOptions {
  /** Default `ai-sdk:PROVIDER/MODEL`. */
  id?: string
  /** Completions in flight; default 8. */
  concurrency?: number
  /** Times that a failed completion is repeated; default 9. */
  maxRetries?: number
  /** Fail an attempt after this many milliseconds without a part from the provider; default 300,000. */
  timeoutMs?: number
  /** Ask for whole answers, not for streams: less work per token, but no partial texts. */
  noStream?: boolean
  /** Tokens of a prompt and its completion together. */
  contextLength?: number
  /** Sent with every call. */
  providerOptions?: Record<string, Record<string, unknown>>
  headers?: Record<string, string>
}

/**
 * Makes an engine of an AI SDK model. The specification has no `n`: each completion is a call of its own, with
 * its own seed. Models whose provider cannot fetch URLs take images as `data:` URLs only.
 * @throws UsageError if the value is not a model of specification v2, v3 or v4
 * @example
 * const engine = fromAiSdk(anthropic('claude-sonnet-4-5'), { concurrency: 4 })
 */
export function fromAiSdk(model: AiSdkModel, options: AiSdkOptions = {}): Engine {
  checkModel(model)
  const { id = `ai-sdk:${model.provider}/${model.modelId}`, contextLength } = options
  const { providerOptions, headers, maxRetries = 9, timeoutMs = 300_000, noStream } = options
  const slots = createSlots(options.concurrency ?? 8)
  const called: CalledModel = { id, model, providerOptions, headers, lessons: [] }
  const scouts = createScouts()
  return {
    id,
    contextLength,
    async *generate(given) {
      const request = withoutBlankSystem(model, given)
      const start = (signal: AbortSignal) =>
        request.seeds.map((_, index) =>
          complete({ called, model, maxRetries, timeoutMs, noStream, slots, scouts, request, index, signal }),
        )
      let hasBegun = false
      for await (const event of merge(start, request.signal)) {
        const isFailure = event.type === 'completion-failed'
        // All have the same prompt: if it is too long for the first, the whole request fails.
        if (!hasBegun && isFailure && event.error.kind === 'context-overflow') throw event.error
        hasBegun ||= !isFailure && event.type !== 'completion-waiting' && event.type !== 'request-changed'
        yield event
      }
    },
  }
}

function checkModel(model: AiSdkModel): void {
  const version: unknown = model?.specificationVersion
  if (typeof model?.doStream === 'function' && ['v2', 'v3', 'v4'].includes(String(version))) return
  const got = typeof model === 'string' ? `the string "${model}"` : `specification ${JSON.stringify(version)}`
  throw new UsageError(`expected an AI SDK language model of specification v2, v3 or v4, got ${got}`)
}

/** Models of Anthropic and Google, at whichever provider, refuse a system message without text, which says nothing to them. */
function withoutBlankSystem(model: AiSdkModel, request: CompletionRequest): CompletionRequest {
  if (!/anthropic|claude|bedrock|google|gemini|vertex/i.test(`${model.provider}/${model.modelId}`))
    return request
  const messages = request.messages.filter((m) => m.role !== 'system' || textOf(m).trim() !== '')
  return { ...request, messages }
}

interface Job {
  called: CalledModel
  model: AiSdkModel
  maxRetries: number
  timeoutMs: number
  noStream?: boolean
  slots: Slots
  scouts: Scouts
  request: CompletionRequest
  index: number
  /** Fires when the caller aborts or stops reading. */
  signal: AbortSignal
}

/** What an attempt has brought. */
interface Progress {
  hasStreamed: boolean
  /** Called when the provider has taken the call: it begins to answer. */
  onTaken: () => void
}

/** One completion, over all its attempts. */
async function* complete(job: Job): AsyncGenerator<EngineEvent> {
  const { slots, maxRetries, request, index, signal } = job
  const { id } = job.called
  let turn: number | undefined
  let failures = 0
  for (let calls = 0; ; ) {
    const { made: sent, end: onTaken } = await enter(job)
    const progress: Progress = { hasStreamed: false, onTaken }
    try {
      const grant = await slots.take(1, { priority: request.priority, turn, signal })
      turn = grant.turn
      calls++
      let end: CompletionEnd
      try {
        end = yield* attempt(job, sent, progress)
      } finally {
        grant.release()
      }
      return yield { ...end, usage: { ...end.usage, calls } }
    } catch (cause) {
      const error = signal.aborted
        ? new EngineError(id, 'aborted', 'the request was aborted', { cause })
        : toEngineError(id, cause)
      const lesson = learnFrom(error, sent, job)
      onTaken()
      const isFinal = !error.isRetryable || (error.retryAfterMs ?? 0) > (request.maxWaitMs ?? Infinity)
      if (!lesson && (isFinal || ++failures > maxRetries)) {
        return yield { type: 'completion-failed', index, error, usage: { ...NOTHING, calls } }
      }
      const reason = lesson?.text ?? error.message
      if (progress.hasStreamed) yield { type: 'completion-restarted', index, reason }
      if (lesson) {
        if (lesson.isNew) yield { type: 'request-changed', index, reason }
        continue
      }
      const ms = backoffMs(failures, error.retryAfterMs)
      yield { type: 'completion-waiting', index, attempt: failures + 1, ms, kind: error.kind, reason }
      await wait(ms, undefined, { signal }).catch(() => {})
    }
  }
}

/** Remembers what a refusal teaches; undefined if there is nothing to learn, and asking again would not help. */
function learnFrom(error: EngineError, { body, messages }: SentCall, job: Job) {
  const { called, request } = job
  if (!isLesson(error)) return undefined
  const { passed, strict } = request
  const lesson = readLesson(error, { body, messages, passed, strict })
  if (!lesson) return undefined
  const { length: known } = called.lessons
  called.lessons = addLesson(called.lessons, lesson)
  return { ...lesson, isNew: called.lessons.length > known }
}

/** Makes the call. One that may be refused waits until the first of its form was taken or refused. */
async function enter({ called, scouts, request, index, signal }: Job) {
  const make = () => toCall(called, request, index)
  return isPlain(request) ? { made: make(), end: () => {} } : scouts.enter(make, signal)
}

/** Whether every model takes a request: it has nothing but texts in turns. */
function isPlain({ messages, sampling, tools, passed, responseFormat }: CompletionRequest): boolean {
  const { maxTokens, ...settings } = sampling
  const isSet = Object.values({ ...settings, ...passed }).some((value) => value !== undefined)
  const isText = messages.every(({ role, content }) => role !== 'tool' && typeof content === 'string')
  return !isSet && isText && !tools && !responseFormat
}

/** A failed call reports no tokens. */
const NOTHING: Usage = { calls: 0, inputTokens: 0, prefilledTokens: null, outputTokens: 0 }

async function* attempt(job: Job, sent: SentCall, progress: Progress) {
  const { called, timeoutMs, request, index, signal } = job
  const { id: engine } = called
  const onTimeout = () => new EngineError(engine, 'timeout', `nothing came for ${timeoutMs} ms`)
  const idle = new IdleTimeout(timeoutMs, onTimeout, signal)
  try {
    const options = { ...sent.options, abortSignal: idle.signal }
    const asked = { engine, index, messages: sent.messages, strict: request.strict }
    const end = yield* readCompletion(asked, await openParts(job, options, idle, progress))
    const warnings = [...new Set([...sent.warnings, ...(end.warnings ?? [])])]
    return { ...end, ...(warnings.length > 0 && { warnings }) }
  } finally {
    idle.end()
  }
}

/** The parts of an answer, while it is streamed or when it is whole. */
async function openParts(
  { model, noStream }: Job,
  options: SentCall['options'],
  idle: IdleTimeout,
  progress: Progress,
): Promise<AsyncIterable<StreamPart>> {
  const called = model as LanguageModelV4
  if (noStream) {
    const whole = await idle.wait(called.doGenerate(options as LanguageModelV4CallOptions))
    progress.onTaken()
    return partsOf(whole)
  }
  const { stream } = await idle.wait(called.doStream(options as LanguageModelV4CallOptions))
  progress.onTaken()
  return readParts(stream, idle, progress)
}

async function* readParts(
  stream: ReadableStream<StreamPart>,
  idle: IdleTimeout,
  progress: Progress,
): AsyncGenerator<StreamPart> {
  const reader = stream.getReader()
  try {
    for (;;) {
      const { done, value } = await idle.wait(reader.read())
      if (done) return
      progress.hasStreamed ||= /delta|tool/.test(value.type)
      yield value
    }
  } finally {
    reader.cancel().catch(() => {})
  }
}
