/**
 * What an error of an upstream server means: its status, its words, or its broken connection. Servers have few codes
 * in common, so their words must be read. They are read in this file only: all other code decides on the fields
 * of `UpstreamError`.
 */
import { EngineError, type EngineErrorKind } from '../../core/provider/errors.ts'
import { askedDelayMs, resetDelayMs } from '../../lib/retry.ts'
import { delayInWords } from './delay-in-words.ts'
import { listNamed, parseBody, readErrorBody, readRetryDelay, statusFromWords } from './error-body.ts'
import { readTokens, saysOverflow } from './overflow.ts'

/** What is known of a failure besides its kind. */
interface UpstreamDetails {
  status?: number
  isRetryable?: boolean
  cause?: unknown
  tokens?: EngineError['tokens']
  param?: string
  /** The server's own words, if it sent any. */
  serverMessage?: string
  /** Fields of the request that the server's body names as wrong, by `param` or a path of pydantic. */
  named?: string[]
  /** Milliseconds that the server asks to wait before the next request. */
  retryAfterMs?: number
  /** No connection was made at all: a wrong address is likelier than a server that restarts. */
  isUnconnected?: boolean
  /** Attempts that make sense, if they are few. */
  attempts?: number
}

/** A failure of an upstream server, or of the connection to it. */
export class UpstreamError extends EngineError {
  readonly details: UpstreamDetails

  constructor(engine: string, kind: EngineErrorKind, message: string, details: UpstreamDetails) {
    super(engine, kind, message, details)
    this.details = details
  }
}

const RETRYABLE = [408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529]
/** If a server asks to wait longer than this, its completions fail at once. */
const MAX_RETRY_AFTER_MS = 600_000

/** A response that failed, as far as it is read. */
export interface FailedResponse {
  status: number
  headers: Pick<Headers, 'get'>
}

/** The error for a response whose status says that it failed. The key is replaced in what the server says. */
export function errorFromResponse(
  engine: string,
  { status, headers }: FailedResponse,
  bodyText: string,
  { apiKey, advice, cause }: { apiKey?: string; advice?: string; cause?: unknown } = {},
): UpstreamError {
  const whole = parseBody(bodyText)
  const body = unwrap(whole)
  const serverMessage = startOf(readErrorBody(body).message, apiKey)
  const { kind, isRetryable, ...facts } = classify(status, serverMessage, body)
  const header = (name: string) => headers.get(name)
  const resetMs = () =>
    kind === 'rate-limit' ? (delayIn(whole, serverMessage) ?? resetDelayMs(header)) : undefined
  const retryAfterMs = isRetryable ? (askedDelayMs(header) ?? resetMs()) : undefined
  const isTooLong = retryAfterMs !== undefined && retryAfterMs > MAX_RETRY_AFTER_MS
  const hint = isTooLong
    ? `the server asks to wait ${Math.round(retryAfterMs / 1000)} s: try again then`
    : advice
  return new UpstreamError(engine, kind, `${status}: ${excerpt(serverMessage)}${hint ? ` (${hint})` : ''}`, {
    status,
    cause,
    isRetryable: isRetryable && !isTooLong,
    ...facts,
    serverMessage,
    named: listNamed(whole),
    retryAfterMs,
  })
}

/** Milliseconds that a body asks to wait, in a field or in words. */
function delayIn(body: unknown, message: string): number | undefined {
  return readRetryDelay(body) ?? delayInWords(message) ?? resetDelayMs(headerIn(body))
}

/** The headers of the provider behind a gateway, as OpenRouter puts them into the body. */
function headerIn(body: unknown): (name: string) => string | undefined {
  const { error } = asFields(body)
  const { headers } = asFields(asFields(error).metadata)
  const found = Object.entries(asFields(headers)).map(([name, value]) => [name.toLowerCase(), String(value)])
  return (name) => Object.fromEntries(found)[name]
}

/** The error for an error object in an answer that began well. If nothing says that it is final, a retry may help. */
export function errorFromChunk(engine: string, body: unknown, apiKey?: string): UpstreamError {
  const read = readErrorBody(body)
  const status = statusFromWords(read)
  const serverMessage = startOf(read.message, apiKey)
  const { kind, isRetryable, ...facts } = classify(status, serverMessage, body)
  const problem = `${status}: in its answer the server says: ${excerpt(serverMessage)}`
  const askedMs = kind === 'rate-limit' ? delayIn(body, serverMessage) : undefined
  const retryAfterMs = askedMs === undefined ? undefined : Math.min(askedMs, MAX_RETRY_AFTER_MS)
  const details = {
    status,
    isRetryable,
    ...facts,
    serverMessage,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  }
  return new UpstreamError(engine, kind, problem, details)
}

/** The error for a status (400 to 599) and the message that came with it. */
export function errorFromStatus(
  engine: string,
  status: number,
  message: string,
  more: Pick<UpstreamDetails, 'isRetryable' | 'cause' | 'serverMessage' | 'retryAfterMs'> = {},
): UpstreamError {
  const { kind, isRetryable, ...facts } = classify(status, message)
  const isFinal = kind === 'context-overflow' || kind === 'billing'
  return new UpstreamError(engine, kind, `${status}: ${message}`, {
    serverMessage: message,
    ...more,
    status,
    isRetryable: isFinal ? false : (more.isRetryable ?? isRetryable),
    ...facts,
  })
}

const UNCONNECTED =
  /^(ECONNREFUSED|ENOTFOUND|EHOSTUNREACH|ENETUNREACH|CONNECT_TIMEOUT|UND_ERR_CONNECT_TIMEOUT)$/

/** The error for a connection that could not be made, or broke. */
export function errorFromConnection(engine: string, cause: unknown): UpstreamError {
  const reason = innermostMessage(cause)
  const isRefusedPort = reason === 'bad port' // fetch refuses some ports, always
  const isUnconnected = hasCode(cause, UNCONNECTED)
  const problem = isRefusedPort
    ? 'HTTP clients refuse this port: give the server another one'
    : isUnconnected
      ? `${reason}. Is a server running there?`
      : reason
  return new UpstreamError(engine, 'unreachable', `the connection failed: ${problem}`, {
    cause,
    isRetryable: !isRefusedPort,
    isUnconnected,
  })
}

/** The message at the bottom: `fetch failed` says nothing, `connect ECONNREFUSED 127.0.0.1:8000` does. */
function innermostMessage(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.cause instanceof Error) return innermostMessage(error.cause)
  if (error instanceof AggregateError && error.errors.length > 0) return innermostMessage(error.errors[0])
  return error.message
}

function hasCode(error: unknown, codes: RegExp): boolean {
  if (!(error instanceof Error)) return false
  return codes.test(String((error as { code?: unknown }).code)) || hasCode(error.cause, codes)
}

const RESPONSE_FORMAT = /\bresponse[ _]format\b/
const NO_MONEY = /insufficient[_ ](quota|funds|balance|credits?)|billing|credit balance/i

const BY_STATUS: Record<number, EngineErrorKind> = {
  401: 'auth',
  402: 'billing',
  403: 'auth',
  404: 'not-found',
  408: 'timeout',
  429: 'rate-limit',
}

/** llama-server and others answer 500 when a chat template refuses the messages. */
const TEMPLATE = /jinja|chat template|template error|rendering prompt/i
/** Groq: what the model wrote was no call, or no JSON. Another sample may be one. */
const SAMPLE_FAILED = /^(tool_use_failed|json_validate_failed|output_parse_failed)$/
const SAMPLE_ATTEMPTS = 3

function saysSampleFailed(body: unknown, message: string): boolean {
  const { code, failed_generation: failed } = asFields(body)
  return (
    SAMPLE_FAILED.test(String(code)) || failed !== undefined || message.includes("See 'failed_generation'")
  )
}

/** Reads status, words and fields. OpenAI has a code for a prompt that is too long, and llama-server two numbers. */
function classify(status: number, message: string, body?: unknown) {
  const { code, n_prompt_tokens: prompt, n_ctx: context } = asFields(body)
  const hasTokens = typeof prompt === 'number'
  if (hasTokens || code === 'context_length_exceeded' || saysOverflow(status, message)) {
    const numbers = hasTokens ? { prompt, context: context as number | undefined } : undefined
    return { kind: 'context-overflow' as const, isRetryable: false, tokens: numbers ?? readTokens(message) }
  }
  const isUnpaid = [400, 403, 429].includes(status) && NO_MONEY.test(message)
  const kind = isUnpaid ? 'billing' : (BY_STATUS[status] ?? (status >= 500 ? 'server' : 'refused'))
  if (kind === 'refused' && saysSampleFailed(body, message)) {
    return { kind: 'server' as const, isRetryable: true, attempts: SAMPLE_ATTEMPTS }
  }
  if (status === 500 && TEMPLATE.test(message)) return { kind: 'refused' as const, isRetryable: false }
  const param = kind === 'refused' && RESPONSE_FORMAT.test(message) ? 'response_format' : undefined
  return { kind, isRetryable: kind !== 'billing' && RETRYABLE.includes(status), param }
}

/** What is read of a server's words, and what is shown. */
const [READ_CHARS, EXCERPT_CHARS] = [8_000, 300]

/** The start of a server's words, without the key. */
function startOf(text: string, apiKey?: string): string {
  const start = text.slice(0, READ_CHARS)
  return apiKey ? hideKey(start, apiKey) : start
}

function excerpt(text: string): string {
  return text.length <= EXCERPT_CHARS ? text : `${text.slice(0, EXCERPT_CHARS)}…`
}

/** A key of a few letters (`x`, for servers that want any) is hidden where it stands alone: many words hold it. */
function hideKey(text: string, key: string): string {
  if (key.length >= 8) return text.replaceAll(key, '[hidden]')
  return text.replace(new RegExp(`(?<!\\w)${key.replace(/\W/g, '\\$&')}(?!\\w)`, 'g'), '[hidden]')
}

/** The error in a body: its field `error`, all of it, or a plain text. */
function unwrap(whole: unknown): unknown {
  const body = Array.isArray(whole) && whole.length > 0 ? whole[0] : whole
  const { error, message } = asFields(body)
  // Fastify: `error` is the name of the status, and says nothing.
  if (typeof error === 'string' && typeof message === 'string') return body
  return error ?? (body === '' ? 'the server gives no reason' : body)
}

function asFields(body: unknown): Record<string, unknown> {
  return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {}
}
