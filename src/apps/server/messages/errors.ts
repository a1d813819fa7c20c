/** Errors as clients of the Anthropic API know them. */
import type { ApiError } from '../api-error.ts'

const TYPES: Record<number, string> = {
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
  504: 'timeout_error',
}

/** The body of an error, and the data of an error event. Clients know a prompt that is too long by its first words. */
export function toMessagesError(error: ApiError) {
  const { message, code, param, status, ...more } = error.toEvent().error
  const type = TYPES[status] ?? (status >= 500 ? 'api_error' : 'invalid_request_error')
  const text = code === 'context_length_exceeded' ? `prompt is too long: ${message}` : message
  return { type: 'error', error: { ...more, type, message: text, code, param, status }, request_id: null }
}
