/** The body of a chat-completions request, in the dialect of its server. */
import type { CompletionRequest, Message } from '../../core/provider/engine.ts'
import type { EngineError } from '../../core/provider/errors.ts'
import { type FormatType, fitFormat, instruct, refusedFormat } from '../upstream/format.ts'
import { readMaxN, rejectsField, wordsOf } from '../upstream/named-fields.ts'
import { addLesson, applyLessons, isLesson, type Lesson, readLesson, toWire } from '../upstream/refusals.ts'

/** What a server understands. Each engine has one, and changes it when its server refuses something. */
export interface Dialect {
  limitName: 'max_tokens' | 'max_completion_tokens'
  /** The other name was refused before. */
  hasSwitched: boolean
  /** The most completions that it gives for one request. */
  maxN: number
  /** The same at temperature 0: vLLM gives one, since all would be equal. */
  greedyN: number
  /** Types of response format that it refuses. */
  refusedFormats: readonly FormatType[]
  /** What its refusals taught, in order. */
  lessons: readonly Lesson[]
}

/** A request as it was sent, for a refusal to be understood. */
export interface SentBody {
  dialect: Dialect
  body: Record<string, unknown>
  messages: Message[]
  /** What was left out or rewritten. */
  warnings: string[]
}

/** OpenAI refuses `max_tokens` for reasoning models; many other servers know nothing else. */
export function guessDialect(baseURL: string): Dialect {
  const isOpenAI = /(^|\.)openai\.(com|azure\.com)$/.test(new URL(baseURL).hostname)
  return {
    limitName: isOpenAI ? 'max_completion_tokens' : 'max_tokens',
    hasSwitched: false,
    maxN: Number.POSITIVE_INFINITY,
    greedyN: Number.POSITIVE_INFINITY,
    refusedFormats: [],
    lessons: [],
  }
}

/** The body for `n` completions in one stream. It has one seed: that of the first completion. */
export function toBody(
  request: CompletionRequest,
  { model, seed, n, dialect }: { model: string; seed: number; n: number; dialect: Dialect },
): SentBody {
  const { sampling, strict } = request
  const { format, instruction } = fitFormat(request.responseFormat, dialect.refusedFormats)
  const whole = {
    ...request.passed,
    model,
    messages: [],
    ...(n > 1 && { n }),
    seed,
    stream: true,
    stream_options: { include_usage: true },
    [dialect.limitName]: sampling.maxTokens,
    ...toWire(sampling),
    stop: request.stop,
    tools: request.tools,
    tool_choice: request.toolChoice,
    parallel_tool_calls: request.tools && request.parallelToolCalls,
    response_format: format,
    // llama-server reports log probabilities only if alternatives are asked for.
    ...(request.logprobs !== undefined && { logprobs: true, top_logprobs: Math.max(1, request.logprobs) }),
  }
  const wantsReasoning = dialect.lessons.some(({ rewrite }) => rewrite === 'reasoning-back')
  const questions = request.messages.map((message) => toQuestion(message, wantsReasoning))
  const asked = { body: whole, messages: instruct(questions, instruction), strict }
  const { body, messages, warnings } = applyLessons(asked, dialect.lessons)
  if (instruction) warnings.push(IN_WORDS)
  return { dialect, body: { ...body, messages }, messages, warnings }
}

const IN_WORDS = 'the model does not take this response format, so it is asked for in words'

/** Fields of answers, which servers refuse in a question. */
const ANSWER_FIELDS = ['refusal', 'annotations', 'reasoning', 'reasoning_details', 'parsed']

function toQuestion(message: Message, wantsReasoning: boolean): Message {
  const dropped = wantsReasoning ? ANSWER_FIELDS : [...ANSWER_FIELDS, 'reasoning_content']
  if (message.role !== 'assistant' || !dropped.some((field) => field in message)) return message
  return Object.fromEntries(Object.entries(message).filter(([field]) => !dropped.includes(field))) as Message
}

/**
 * Learns from the refusal of a request for `n` completions, which was sent in a dialect that may have changed since.
 * False if there is nothing to learn, and asking again would not help.
 */
export function learnFrom(
  error: EngineError,
  { dialect: sent, body, messages }: SentBody,
  dialect: Dialect,
  { n, request }: { n: number; request: CompletionRequest },
): boolean {
  if (!isLesson(error)) return false
  if (rejectsField(error, sent.limitName)) return switchLimitName(error, sent, dialect)
  const { passed, strict } = request
  const format = strict ? undefined : refusedFormat(error, body.response_format)
  if (format) return refuseFormat(format, sent, dialect)
  const lesson = readLesson(error, { body, messages, passed, strict })
  if (lesson) return remember(dialect, lesson)
  const maxN = readMaxN(error, n)
  if (maxN === undefined) return false
  if (isGreedy(request) && /greedy|temperature/i.test(wordsOf(error))) {
    dialect.greedyN = Math.min(dialect.greedyN, maxN)
    return true
  }
  dialect.maxN = Math.min(dialect.maxN, maxN)
  const text = `${error.engine} gives fewer completions per request than asked for, so the prompt is sent more than once`
  return remember(dialect, { about: 'n', text, isNote: true })
}

/** The most completions that a server gives for one request like this. */
export function limitN(request: CompletionRequest, { maxN, greedyN }: Dialect): number {
  return isGreedy(request) ? Math.min(maxN, greedyN) : maxN
}

const isGreedy = ({ sampling }: CompletionRequest) => sampling.temperature === 0

function remember(dialect: Dialect, lesson: Lesson): true {
  dialect.lessons = addLesson(dialect.lessons, lesson)
  return true
}

/** False if the server refuses all that could be sent in place of a format. */
function refuseFormat(format: FormatType, sent: Dialect, dialect: Dialect): boolean {
  if (sent.refusedFormats.includes(format)) return false
  if (!dialect.refusedFormats.includes(format)) dialect.refusedFormats = [...dialect.refusedFormats, format]
  return true
}

function switchLimitName({ engine }: EngineError, sent: Dialect, dialect: Dialect): boolean {
  if (sent.limitName !== dialect.limitName) return true
  if (dialect.hasSwitched) return false
  dialect.hasSwitched = true
  dialect.limitName = dialect.limitName === 'max_tokens' ? 'max_completion_tokens' : 'max_tokens'
  const text = `${engine} refuses \`${sent.limitName}\`, so the limit is sent as \`${dialect.limitName}\``
  return remember(dialect, { about: 'limit', text, isNote: true })
}
