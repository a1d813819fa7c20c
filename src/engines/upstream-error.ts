/**
 * What an error of an upstream server means: its status, its words, or its broken connection. Servers have few codes
 * in common, so their words must be read. They are read in this file only: all other code decides on the fields
 * of `UpstreamError`.
 */
import { EngineError, type EngineErrorKind } from '../core/provider/errors.ts'
import { askedDelayMs } from '../lib/retry.ts'

/** What is known of a failure besides its kind. */
interface UpstreamDetails {
  status?: number
  isRetryable?: boolean
  cause?: unknown
  tokens?: EngineError['tokens']
  param?: string
  /** The server's own words, if it sent any. */
  serverMessage?: string
  /** Milliseconds that the server asks to wait before the next request. */
  retryAfterMs?: number
  /** No connection was made at all: a wrong address is likelier than a server that restarts. */
  isUnconnected?: boolean
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

/** The error for a response whose status says that it failed. The key is replaced in what the server says. */
export function errorFromResponse(
  engine: string,
  { status, headers }: Response,
  bodyText: string,
  apiKey?: string,
): UpstreamError {
  const body = parseError(bodyText)
  const serverMessage = excerpt(body, apiKey)
  const { kind, isRetryable, ...facts } = classify(status, serverMessage, body)
  const retryAfterMs = isRetryable ? askedDelayMs((name) => headers.get(name)) : undefined
  const isTooLong = retryAfterMs !== undefined && retryAfterMs > MAX_RETRY_AFTER_MS
  const advice =
    kind === 'auth' && apiKey === undefined
      ? ' (no key was sent: name the variable that holds it with --api-key-env)'
      : isTooLong
        ? ` (the server asks to wait ${Math.round(retryAfterMs / 1000)} s: try again then)`
        : ''
  return new UpstreamError(engine, kind, `${status}: ${serverMessage}${advice}`, {
    status,
    isRetryable: isRetryable && !isTooLong,
    ...facts,
    serverMessage,
    retryAfterMs,
  })
}

/** The error for an error object in the middle of an answer. If it has no status, a retry may help. */
export function errorFromChunk(engine: string, body: unknown, apiKey?: string): UpstreamError {
  const { status, code } = body as { status?: unknown; code?: unknown }
  const number = Number(status ?? code)
  const serverMessage = excerpt(body, apiKey)
  const problem = `in its answer the server says: ${serverMessage}`
  return errorFromStatus(engine, number >= 400 && number < 600 ? number : 500, problem, { serverMessage })
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

const UNCONNECTED = /^(ECONNREFUSED|ENOTFOUND|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT)$/

/** The error for a connection that could not be made, or broke. */
export function errorFromConnection(engine: string, cause: unknown): UpstreamError {
  const reason = innermostMessage(cause)
  const isRefusedPort = reason === 'bad port' // fetch refuses some ports, always
  const isUnconnected = hasCode(cause, UNCONNECTED)
  const problem = isRefusedPort
    ? 'a port that no program may connect to: give the server another'
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

const OVERFLOW =
  /context[_ ](length|window|size)|too many tokens|prompt is too long|maximum (input|prompt) length|input is too long|longer than the maximum|exceeds? the (maximum|available|model'?s?) [\w ]*(context|tokens?)/i
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

/** Reads status, words and fields. OpenAI has a code for a prompt that is too long, and llama-server two numbers. */
function classify(status: number, message: string, body?: unknown) {
  const { code, n_prompt_tokens: prompt, n_ctx: context } = asFields(body)
  const hasTokens = typeof prompt === 'number'
  if (hasTokens || code === 'context_length_exceeded' || isOverflow(status, message)) {
    const numbers = hasTokens ? { prompt, context: context as number | undefined } : undefined
    return { kind: 'context-overflow' as const, isRetryable: false, tokens: numbers ?? readTokens(message) }
  }
  const isUnpaid = [400, 403, 429].includes(status) && NO_MONEY.test(message)
  const kind = isUnpaid ? 'billing' : (BY_STATUS[status] ?? (status >= 500 ? 'server' : 'refused'))
  const param = kind === 'refused' && RESPONSE_FORMAT.test(message) ? 'response_format' : undefined
  return { kind, isRetryable: kind !== 'billing' && RETRYABLE.includes(status), param }
}

function isOverflow(status: number, message: string): boolean {
  return status === 413 || ([400, 422, 500].includes(status) && OVERFLOW.test(message))
}

// In the words of OpenAI, vLLM, llama-server and Anthropic.
const CONTEXT = [/context (?:length|window|size)\D{0,20}(\d{3,})/i, /> ?(\d{3,})/]
const PROMPT = [
  /(\d{3,}) (?:input tokens|in the messages|in your prompt)/i,
  /(?:resulted in|requested|request|request has|too long:)[ (]+(\d{3,})/i,
]

function readTokens(message: string): { prompt?: number; context?: number } {
  const find = (patterns: RegExp[]) => {
    const found = patterns.map((pattern) => pattern.exec(message)?.[1]).find((digits) => digits !== undefined)
    return found === undefined ? undefined : Number(found)
  }
  return { prompt: find(PROMPT), context: find(CONTEXT) }
}

const EXCERPT_CHARS = 300

/** The message in an error body, in whatever it is wrapped, at most 300 characters of it. */
function excerpt(body: unknown, apiKey?: string): string {
  const text = findMessage(body) ?? JSON.stringify(body)
  const plain = apiKey ? text.replaceAll(apiKey, '[hidden]') : text
  return plain.length <= EXCERPT_CHARS ? plain : `${plain.slice(0, EXCERPT_CHARS)}…`
}

function findMessage(body: unknown): string | undefined {
  if (typeof body === 'string') return body
  if (typeof body !== 'object' || body === null) return undefined
  const { message, error, detail } = asFields(body)
  return findMessage(message) ?? findMessage(error) ?? (typeof detail === 'string' ? detail : undefined)
}

/** The error in a body: its field `error`, all of it, or a plain text. */
function parseError(text: string): unknown {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {}
  return asFields(body).error ?? body ?? (text || 'the server gives no reason')
}

function asFields(body: unknown): Record<string, unknown> {
  return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {}
}

const REFUSED_NAME =
  /unsupported|not supported|unrecognized|unknown|unexpected|not permitted|forbidden|use '/i
const NAMES_N = /(^|[^\w'-])['"`]?n(_cmpl)?['"`]?([^\w'-]|$)/

/** Whether a refusal names one of these fields of the request. */
export function namesField({ details: { serverMessage = '' } }: UpstreamError, ...fields: string[]): boolean {
  return new RegExp(`\\b(${fields.join('|')})\\b`).test(serverMessage)
}

/** Whether a refusal says that the server does not know this field of the request. */
export function rejectsField(error: UpstreamError, field: string): boolean {
  return REFUSED_NAME.test(error.details.serverMessage ?? '') && namesField(error, field)
}

/**
 * The largest `n` that a refusal of `n` completions allows; half of `n` if it names `n` without a number, and undefined
 * if it is about something else.
 */
export function readMaxN({ details: { serverMessage = '' } }: UpstreamError, n: number): number | undefined {
  if (n === 1 || !NAMES_N.test(serverMessage)) return undefined
  const bounds = (serverMessage.match(/\d+/g) ?? []).map(Number).filter((bound) => bound >= 1 && bound < n)
  return bounds.length > 0 ? Math.max(...bounds) : n >> 1
}
