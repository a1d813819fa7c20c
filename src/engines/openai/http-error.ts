/** What a provider's status, words or broken connection mean. */
import { EngineError, type EngineErrorKind } from '../../core/provider/errors.ts'

const OVERFLOW =
  /context[_ ](length|window|size)|too many tokens|prompt is too long|maximum (input|prompt) length|input is too long|longer than the maximum|exceeds? the (maximum|available|model'?s?) [\w ]*(context|tokens?)/i
const NO_MONEY = /insufficient[_ ](quota|funds|balance|credits?)|billing|credit balance/i
const RETRYABLE = [408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529]

const BY_STATUS: Record<number, EngineErrorKind> = {
  401: 'auth',
  402: 'billing',
  403: 'auth',
  404: 'not-found',
  408: 'timeout',
  413: 'context-overflow',
  429: 'rate-limit',
}

/** An `EngineError` for a status (400 to 599) and the message that came with it. */
export function errorFromStatus(
  engine: string,
  status: number,
  message: string,
  more: { isRetryable?: boolean; cause?: unknown } = {},
): EngineError {
  const kind = kindOf(status, message)
  const isFinal = kind === 'context-overflow' || kind === 'billing'
  const isRetryable = !isFinal && (more.isRetryable ?? RETRYABLE.includes(status))
  const tokens = kind === 'context-overflow' ? readTokens(message) : undefined
  return new EngineError(engine, kind, `${status}: ${message}`, { ...more, status, isRetryable, tokens })
}

function kindOf(status: number, message: string): EngineErrorKind {
  if ([400, 413, 422, 500].includes(status) && OVERFLOW.test(message)) return 'context-overflow'
  if ([400, 403, 429].includes(status) && NO_MONEY.test(message)) return 'billing'
  return BY_STATUS[status] ?? (status >= 500 ? 'server' : 'refused')
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

/** An `EngineError` for a connection that could not be made, or broke. */
export function errorFromConnection(engine: string, cause: unknown): EngineError {
  const reason = innermost(cause)
  const isRetryable = reason !== 'bad port' // fetch refuses some ports, always
  const hint = isRetryable ? reason : 'a port that no program may connect to: give the server another'
  return new EngineError(engine, 'unreachable', `the connection failed: ${hint}`, { cause, isRetryable })
}

/** The message at the bottom: `fetch failed` says nothing, `connect ECONNREFUSED 127.0.0.1:8000` does. */
function innermost(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.cause instanceof Error) return innermost(error.cause)
  if (error instanceof AggregateError && error.errors.length > 0) return innermost(error.errors[0])
  return error.message
}
