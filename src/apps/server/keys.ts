/** Named API keys. All keys are always compared, each in constant time, so that the time reveals nothing. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { keepSecret, UsageError } from '../../core/provider/errors.ts'
import { ApiError } from './api-error.ts'
import type { ClientLimits } from './limits.ts'

/** API keys by name. */
export type Keys = Record<string, string>

/** Returns the name of the key in a request; undefined if the server needs no key. */
export type KeyCheck = (authorization: string | undefined) => string | undefined

/** Makes the check of keys. The check throws ApiError 401 for a missing or wrong key. */
export function createKeyCheck(keys: Keys): KeyCheck {
  keepSecret(...Object.values(keys))
  const known = Object.entries(keys).map(([name, key]) => ({ name, digest: digestOf(key) }))
  if (known.length === 0) return () => undefined
  return (authorization) => {
    const [, given] = /^Bearer\s+(\S+)$/i.exec(authorization ?? '') ?? []
    const digest = digestOf(given ?? '')
    const [found] = known.filter((key) => timingSafeEqual(key.digest, digest))
    if (found && given) return found.name
    const problem = given
      ? 'the API key is wrong'
      : 'an API key is needed: Authorization: Bearer KEY, or x-api-key: KEY'
    throw new ApiError(401, problem, {
      code: given ? 'invalid_api_key' : 'missing_api_key',
      headers: { 'www-authenticate': 'Bearer' },
    })
  }
}

function digestOf(key: string): Buffer {
  return createHash('sha256').update(key).digest()
}

/** What a key file holds: keys by name, and the limits of some of them. */
export interface KeyFile {
  keys: Keys
  limits: Record<string, ClientLimits>
}

/** The limits of a key, as its line names them. */
const LIMITS: Record<string, keyof ClientLimits> = {
  'requests-per-minute': 'requestsPerMinute',
  'tokens-per-minute': 'tokensPerMinute',
  'tokens-per-day': 'tokensPerDay',
  'cost-per-day': 'costPerDay',
  running: 'running',
}

/**
 * Reads keys, one per line: `NAME: KEY`, and perhaps limits (`tokens-per-day=100000`). Empty lines and lines that start
 * with `#` are skipped.
 * @throws UsageError that names the line, never its content
 */
export function parseKeys(text: string, file: string): KeyFile {
  const found: KeyFile = { keys: {}, limits: {} }
  for (const [i, line] of text.split('\n').entries()) {
    if (/^\s*(#|$)/.test(line)) continue
    const [, name, key, rest = ''] = /^\s*([\w.@-]+)\s*[:=]\s*(\S+)((?:\s+[a-z-]+=\S+)*)\s*$/.exec(line) ?? []
    if (!name || !key)
      throw new UsageError(`${file}:${i + 1}: expected NAME: KEY, or NAME: KEY requests-per-minute=60`)
    found.keys[name] = key
    if (rest) found.limits[name] = readLimits(rest, `${file}:${i + 1}`)
  }
  if (Object.keys(found.keys).length === 0)
    throw new UsageError(`${file}: expected at least one line NAME: KEY, got none`)
  return found
}

function readLimits(text: string, place: string): ClientLimits {
  const limits: ClientLimits = {}
  for (const part of text.trim().split(/\s+/)) {
    const [word = '', amount = ''] = part.split('=', 2)
    const name = LIMITS[word]
    if (!name)
      throw new UsageError(
        `${place}: expected limits among ${Object.keys(LIMITS).join(', ')}, got another word`,
      )
    const value = Number(amount)
    if (!(value > 0) || !Number.isFinite(value) || (name !== 'costPerDay' && !Number.isSafeInteger(value)))
      throw new UsageError(`${place}: ${word}: expected a number above 0`)
    limits[name] = value
  }
  return limits
}
