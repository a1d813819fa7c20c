/** What an error of the AI SDK means: its answer's status and body, the library's own refusals, broken connections. */
import { EngineError } from '../../core/provider/errors.ts'
import {
  errorFromChunk,
  errorFromConnection,
  errorFromResponse,
  errorFromStatus,
  UpstreamError,
} from '../upstream/error.ts'

/** Turns an error of the AI SDK or of the network, thrown or in a part, into an EngineError. */
export function toEngineError(engine: string, error: unknown): EngineError {
  if (error instanceof EngineError) return error
  if (!(error instanceof Error)) return errorFromChunk(engine, error)
  const { name, message, cause } = error
  const status = statusOf(error)
  if (status !== undefined) return fromStatus(engine, status, error)
  if (name === 'AI_LoadAPIKeyError') return new EngineError(engine, 'auth', message, { cause: error })
  if (name === 'AI_NoSuchModelError') return new EngineError(engine, 'not-found', message, { cause: error })
  if (REFUSALS.has(name)) {
    const details = { cause: error, serverMessage: message, isRetryable: false }
    return new UpstreamError(engine, 'refused', message, details)
  }
  if (BROKEN_ANSWERS.has(name)) return new EngineError(engine, 'server', message, { cause: error })
  if (cause instanceof Error) return errorFromConnection(engine, error)
  // A TypeError without a cause is a fault of the provider's own code: it comes again.
  return new EngineError(engine, 'server', message, { cause: error, isRetryable: name !== 'TypeError' })
}

const REFUSALS = new Set([
  'AI_UnsupportedFunctionalityError',
  'AI_InvalidPromptError',
  'AI_InvalidArgumentError',
  'AI_LoadSettingError',
])
const BROKEN_ANSWERS = new Set([
  'AI_JSONParseError',
  'AI_TypeValidationError',
  'AI_InvalidResponseDataError',
  'AI_EmptyResponseBodyError',
])

/** What an `AI_APICallError` has. The gateway's errors have theirs as cause. */
interface CallError {
  statusCode?: unknown
  status?: unknown
  code?: unknown
  responseHeaders?: Record<string, string>
  responseBody?: unknown
}

function statusOf(error: Error): number | undefined {
  const { statusCode, status, code } = error as CallError
  const isFailure = (value: unknown) => typeof value === 'number' && value >= 400 && value < 600
  return [statusCode, status, code].find(isFailure) as number | undefined
}

/** The server's own words are in the body. The library's message may have lost them. */
function fromStatus(engine: string, status: number, error: Error): UpstreamError {
  const call = findBody(error)
  const headers = new Headers(call?.responseHeaders)
  if (call) return errorFromResponse(engine, { status, headers }, call.responseBody, { cause: error })
  return errorFromStatus(engine, status, error.message, { cause: error })
}

function findBody(error: Error): (CallError & { responseBody: string }) | undefined {
  const { responseBody } = error as CallError
  if (typeof responseBody === 'string' && responseBody.trim() !== '') return { ...error, responseBody }
  return error.cause instanceof Error ? findBody(error.cause) : undefined
}
