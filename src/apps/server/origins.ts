/** Pages of other origins (CORS): which may use the server, and the headers that tell their browser so. */
import type { Context, MiddlewareHandler } from 'hono'
import { UsageError } from '../../core/provider/errors.ts'
import { ApiError } from './api-error.ts'

/** `app://obsidian.md`, `https://chat.example:8443`: a scheme, a host, perhaps a port, and no path. */
const ORIGIN = /^[a-z][a-z\d+.-]*:\/\/[^\s/?#,*]+$/

/**
 * Checks the origins that the operator names; `*` means any.
 * @throws UsageError for what is no origin, and for `*` on a server with keys unless `isAnyMeant`
 */
export function readOrigins(given: string[], { hasKeys, isAnyMeant }: Record<string, boolean>): string[] {
  const origins = given.map((origin) => origin.toLowerCase().replace(/\/$/, ''))
  for (const [i, origin] of origins.entries()) {
    if (origin === '*' || ORIGIN.test(origin)) continue
    const problem = `expected an origin such as https://chat.example or app://obsidian.md, got "${given[i]}"`
    throw new UsageError(`--allow-origin: ${problem}`, { param: 'allowOrigin', code: 'invalid-value' })
  }
  if (isAnyMeant && !origins.includes('*')) {
    const advice = "--any-origin is for --allow-origin '*': add that, or leave it out"
    throw new UsageError(advice, { param: 'anyOrigin', code: 'invalid-value' })
  }
  if (!origins.includes('*') || !hasKeys || isAnyMeant) return origins
  const problem =
    "'*' lets every page on the web try the keys of this server: name the origins, or add --any-origin"
  throw new UsageError(`--allow-origin: ${problem}`, { param: 'allowOrigin', code: 'invalid-value' })
}

/** Answers preflights, and puts the headers on every other answer, errors too. Without origins it does nothing. */
export function allowOrigins(origins: string[]): MiddlewareHandler {
  return async (c, next) => {
    const origin = c.req.header('origin')
    if (origins.length === 0 || origin === undefined) return next()
    const headers = headersFor(origin, origins)
    if (c.req.method === 'OPTIONS' && c.req.header('access-control-request-method')) {
      return answerPreflight(c, origin, headers)
    }
    await next()
    for (const [name, value] of Object.entries(headers ?? {})) c.header(name, value)
    if (!origins.includes('*')) c.header('vary', 'origin', { append: true })
  }
}

const SHOWN = [
  'x-request-id',
  'request-id',
  'x-aft-ignored',
  'x-aft-warning',
  'x-aft-degraded',
  'retry-after',
  'x-should-retry',
  ...['requests', 'tokens'].flatMap((what) =>
    ['limit', 'remaining', 'reset'].map((part) => `x-ratelimit-${part}-${what}`),
  ),
]

/** With `*` a browser sends no cookies; an origin that is named may send them to a proxy before this server. */
function headersFor(origin: string, origins: string[]): Record<string, string> | undefined {
  const shown = { 'access-control-expose-headers': SHOWN.join(', ') }
  if (origins.includes(origin.toLowerCase())) {
    return {
      ...shown,
      'access-control-allow-origin': origin,
      'access-control-allow-credentials': 'true',
    }
  }
  return origins.includes('*') ? { ...shown, 'access-control-allow-origin': '*' } : undefined
}

function answerPreflight(c: Context, origin: string, headers: Record<string, string> | undefined): Response {
  if (!headers) {
    const problem = `pages of ${origin.slice(0, 200)} may not use this server: see --allow-origin`
    throw new ApiError(403, problem, { code: 'wrong_origin' })
  }
  const asked = c.req.header('access-control-request-headers')
  // A page on the web that calls a server in a home network needs one more yes in some browsers.
  const isPrivate = c.req.header('access-control-request-private-network') === 'true'
  return c.body(null, 204, {
    ...headers,
    'access-control-allow-methods': 'GET, POST, OPTIONS',
    ...(asked && { 'access-control-allow-headers': asked }),
    ...(isPrivate && { 'access-control-allow-private-network': 'true' }),
    'access-control-max-age': '86400',
    vary: 'origin, access-control-request-headers',
  })
}
