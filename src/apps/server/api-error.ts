/** Errors in the form of the OpenAI API: a status, and an object with message, type, param and code. */
import type { z } from 'zod'
import { EngineError, type EngineErrorKind, redact, UsageError } from '../../core/provider/errors.ts'
import { explainIssue, inWords } from '../../files/json-file.ts'

/** An error to answer with: `status` is 400 to 599, `param` the path of the wrong field. */
export class ApiError extends Error {
  override name = 'ApiError'
  readonly status: number
  readonly param: string | null
  readonly code: string | null
  readonly headers: Record<string, string>

  constructor(
    status: number,
    message: string,
    more: { param?: string; code?: string; headers?: Record<string, string> } = {},
  ) {
    super(redact(message))
    this.status = status
    this.param = more.param ?? null
    this.code = more.code ?? null
    this.headers = more.headers ?? {}
  }

  /** Returns the body that OpenAI's clients read. */
  toJSON() {
    const { message, param, code } = this
    return { error: { message, type: typeOf(this.status), param, code } }
  }

  /** The same in a stream, whose 200 and headers are already sent: with the status and the delay in seconds. */
  toEvent() {
    const seconds = this.headers['retry-after']
    const delay = seconds === undefined ? {} : { retry_after: Number(seconds) }
    return { error: { ...this.toJSON().error, status: this.status, ...delay } }
  }
}

function typeOf(status: number): string {
  if (status === 401) return 'authentication_error'
  if (status === 429) return 'rate_limit_error'
  return status >= 500 ? 'server_error' : 'invalid_request_error'
}

/** Status and code by kind of failure: 4xx if the request caused it, 5xx if the engine failed. */
const BY_KIND: Partial<Record<EngineErrorKind, [number, string]>> = {
  'context-overflow': [400, 'context_length_exceeded'],
  refused: [400, 'upstream_refused'],
  'rate-limit': [429, 'upstream_rate_limit'],
  timeout: [504, 'upstream_timeout'],
}

/** Tells clients not to retry. The engine has retried already, so attempts would multiply. */
const TRIED = { 'x-should-retry': 'false' }

/** Says whether a recorded failure is a bug and not an engine's own error. */
export function isInternal({ kind }: { kind: string }): boolean {
  return kind === 'internal'
}

/**
 * Turns any error into an ApiError. The message of a bug is not shown.
 * @param conceal removes from an engine's message what clients must not see
 */
export function toApiError(error: unknown, conceal: (text: string) => string = (text) => text): ApiError {
  if (error instanceof ApiError) return error
  if (error instanceof UsageError) return fromUsageError(error)
  if (!(error instanceof EngineError) || isInternal(error)) {
    return new ApiError(500, 'the server failed; its log says why', { code: 'internal_error' })
  }
  const { kind, status, retryAfterMs } = error
  const message = conceal(error.engine === 'aft' ? error.message : `${error.engine}: ${error.message}`)
  if (status === 508) return new ApiError(508, message, { code: 'too_many_hops', headers: TRIED })
  const unavailable = kind === 'server' && retryAfterMs !== undefined
  const [answered, code] = BY_KIND[kind] ?? [unavailable ? 503 : 502, `upstream_${kind.replaceAll('-', '_')}`]
  const param = paramOf(error)
  const headers = { ...TRIED, ...delayHeader(answered, retryAfterMs) }
  return new ApiError(answered, message, { param, code, headers })
}

/** The delay that the server behind this one asks for; a rate limit without one is taken to last a few seconds. */
function delayHeader(status: number, askedMs: number | undefined): Record<string, string> {
  const seconds = askedMs === undefined ? undefined : Math.ceil(askedMs / 1_000)
  const delay = seconds ?? (status === 429 ? 5 : undefined)
  return delay === undefined ? {} : { 'retry-after': String(delay) }
}

function fromUsageError({ message, param, code = 'invalid-value' }: UsageError): ApiError {
  const status = code === 'model-not-found' ? 404 : 400
  return new ApiError(status, message, { param, code: code.replaceAll('-', '_') })
}

function paramOf({ kind, param }: EngineError): string | undefined {
  return kind === 'context-overflow' ? 'messages' : param
}

/**
 * Checks a body, or the part of it at `path`.
 * @throws ApiError 400 with the path of the first wrong field
 */
export function parseBody<T extends z.ZodType>(
  schema: T,
  body: unknown,
  path: PropertyKey[] = [],
): z.infer<T> {
  const result = schema.safeParse(body, { ...inWords, reportInput: true })
  if (result.success) return result.data
  const [issue] = result.error.issues
  const at = issue?.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0]] : (issue?.path ?? [])
  const param = [...path, ...at].map(String).join('.')
  const isMissing = issue?.code === 'invalid_type' && issue.input === undefined
  const code = isMissing ? 'missing_required_parameter' : 'invalid_value'
  throw new ApiError(400, `${param || 'body'}: ${issue ? explain(issue) : 'wrong'}`, {
    param: param || undefined,
    code,
  })
}

function explain(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') return 'unknown field'
  const key = 'discriminator' in issue ? issue.discriminator : undefined
  const got = key === undefined ? issue.input : (issue.input as Record<string, unknown>)[key]
  return explainIssue(issue, got)
}
