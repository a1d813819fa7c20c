/** Checks a request before it is answered: where it comes from, and whether its body is JSON. */
import type { Context } from 'hono'
import { ApiError } from './api-error.ts'

const MAX_HOPS = 2

/** Reads how many servers the request came through. @throws ApiError 508 for too many, since servers may call in a circle */
export function readHops(c: Context): number {
  const given = c.req.header('x-aft-hops') ?? '0'
  const count = /^\d{1,9}$/.test(given) ? Number(given) : Number.NaN
  if (count <= MAX_HOPS) return count
  if (Number.isNaN(count))
    throw new ApiError(400, 'expected a number in x-aft-hops', { code: 'invalid_value' })
  throw new ApiError(508, `the request came through ${count} servers; does one call itself?`, {
    code: 'too_many_hops',
    headers: { 'x-should-retry': 'false' },
  })
}

/**
 * Reads the body of a request. Forms and plain text are refused, because pages of other sites can send them freely, and
 * packed bodies, because a small one may unpack to any size.
 * @throws ApiError 415, or 400 if the body is not JSON
 */
export async function readJson(c: Context): Promise<unknown> {
  if (!/^application\/json\b/i.test(c.req.header('content-type') ?? '')) {
    throw new ApiError(415, 'expected content-type: application/json', { code: 'not_json' })
  }
  const encoding = c.req.header('content-encoding') ?? 'identity'
  if (encoding.toLowerCase() !== 'identity')
    throw new ApiError(415, 'expected a body without content-encoding', { code: 'not_json' })
  const bytes = new Uint8Array(await readBody(c))
  if (isDeep(bytes)) {
    throw new ApiError(400, `the body is nested deeper than ${MAX_NESTING}`, { code: 'invalid_value' })
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    throw new ApiError(400, `the body is not JSON: ${(error as Error).message}`, { code: 'not_json' })
  }
}

/** Reads the body. @throws ApiError 499 if the client leaves before its end; errors of the body's limits as they are */
async function readBody(c: Context): Promise<ArrayBuffer> {
  try {
    return await c.req.arrayBuffer()
  } catch (error) {
    const { code, name } = error as NodeJS.ErrnoException
    const hasLeft = c.req.raw.signal.aborted || name === 'AbortError' || code === 'ECONNRESET'
    if (!hasLeft) throw error
    throw new ApiError(499, 'the client closed the connection before its request was whole', {
      code: 'client_closed',
    })
  }
}

/** Deepest JSON that is accepted. Deeper JSON can be parsed, but code that walks through it runs out of stack. */
const MAX_NESTING = 256
const [QUOTE, BACKSLASH] = [0x22, 0x5c]
const OPENING = [0x5b, 0x7b]
const CLOSING = [0x5d, 0x7d]

function isDeep(bytes: Uint8Array): boolean {
  let depth = 0
  let isText = false
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number
    if (isText) {
      if (byte === BACKSLASH) i++
      else if (byte === QUOTE) isText = false
    } else if (byte === QUOTE) isText = true
    else if (OPENING.includes(byte) && ++depth > MAX_NESTING) return true
    else if (CLOSING.includes(byte)) depth--
  }
  return false
}

/**
 * Checks the Host of a request to a loopback server. Programs on this machine use a loopback name. Another name means
 * that a web page pointed its own name here (DNS rebinding), and that page could read the answers.
 * @param names names to allow in addition
 * @throws ApiError 403 for another name
 */
export function checkHost(host: string | undefined, names: string[]): void {
  const name = (host ?? '').replace(/:\d*$/, '').toLowerCase()
  const isLocal = /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(name)
  if (isLocal || names.some((allowed) => allowed.toLowerCase() === name)) return
  throw new ApiError(403, 'this server does not answer under this host name: see --allow-host', {
    code: 'wrong_host',
  })
}
