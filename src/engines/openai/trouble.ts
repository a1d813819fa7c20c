/** What went wrong with a request to a server, and when to come back. */
import { APIError } from 'openai'
import { EngineError } from '../../core/provider/errors.ts'
import { askedDelayMs } from '../../lib/retry.ts'
import { errorFromConnection, errorFromStatus } from './http-error.ts'

export interface Trouble {
  error: EngineError
  /** The server's own words. */
  message: string
  /** Milliseconds that the server wants to be left alone. */
  askedMs?: number
  /** No connection was made at all: a wrong address is likelier than a server that restarts. */
  isUnconnected?: boolean
}

const EXCERPT_CHARS = 300
/** A server that wants to be left alone for longer is not waited for. */
const MAX_ASKED_MS = 600_000

/** Says what an error of the `openai` package, of a connection or of this engine means. The key is kept out. */
export function readTrouble(id: string, cause: unknown, apiKey?: string): Trouble {
  if (cause instanceof EngineError) return { error: cause, message: cause.message }
  if (cause instanceof APIError && cause.status !== undefined) return readRefusal(id, cause, apiKey)
  const error = errorFromConnection(id, cause)
  if (!isUnconnected(cause)) return { error, message: error.message }
  const message = `${error.message}. Is a server running there?`
  return { error: new EngineError(id, error.kind, message, { cause }), message, isUnconnected: true }
}

function readRefusal(id: string, cause: APIError, apiKey?: string): Trouble {
  const status = cause.status as number
  const message = excerpt(cause.error ?? cause.message.replace(/^\d+ /, ''), apiKey)
  const error = withTokens(errorFromStatus(id, status, message), cause.error)
  const change = (advice: string) =>
    new EngineError(id, error.kind, `${error.message} (${advice})`, { status, isRetryable: false })
  if (error.kind === 'auth' && apiKey === undefined) {
    return { error: change('no key was sent: name the variable that holds it with --api-key-env'), message }
  }
  const askedMs = askedDelayMs((name) => cause.headers?.get(name))
  if (!error.isRetryable || askedMs === undefined || askedMs <= MAX_ASKED_MS) {
    return { error, message, askedMs }
  }
  return { error: change(`the server asks to wait ${Math.round(askedMs / 1000)} s: try again then`), message }
}

/** An error object that a server sent in the middle of its answer. Where it has no status, it may pass. */
export function errorFromChunk(id: string, body: unknown, apiKey?: string): EngineError {
  const told = body as { status?: unknown; code?: unknown }
  const code = Number(told.status ?? told.code)
  const status = code >= 400 && code < 600 ? code : 500
  return errorFromStatus(id, status, `in its answer the server says: ${excerpt(body, apiKey)}`)
}

/** The message in an error body, however it is wrapped, at most 300 characters of it. */
function excerpt(body: unknown, apiKey?: string): string {
  const text = findMessage(body) ?? JSON.stringify(body)
  const plain = apiKey ? text.replaceAll(apiKey, '[hidden]') : text
  return plain.length <= EXCERPT_CHARS ? plain : `${plain.slice(0, EXCERPT_CHARS)}…`
}

function findMessage(body: unknown): string | undefined {
  if (typeof body === 'string') return body
  if (typeof body !== 'object' || body === null) return undefined
  const { message, error, detail } = body as Record<string, unknown>
  return findMessage(message) ?? findMessage(error) ?? (typeof detail === 'string' ? detail : undefined)
}

/** OpenAI has a code for a prompt that is too long, and llama-server tells the two numbers in fields of their own. */
function withTokens(error: EngineError, body: unknown): EngineError {
  const fields = (body ?? {}) as { code?: unknown; n_prompt_tokens?: number; n_ctx?: number }
  const { code, n_prompt_tokens: prompt, n_ctx: context } = fields
  if (prompt === undefined && code !== 'context_length_exceeded') return error
  const { engine, message, status } = error
  const tokens = prompt === undefined ? error.tokens : { prompt, context }
  return new EngineError(engine, 'context-overflow', message, { status, tokens })
}

const UNCONNECTED = /^(ECONNREFUSED|ENOTFOUND|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT)$/

function isUnconnected(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return UNCONNECTED.test(String((error as { code?: unknown }).code)) || isUnconnected(error.cause)
}
