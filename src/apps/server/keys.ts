/** Named API keys. All keys are always compared, each in constant time, so that the time reveals nothing. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { keepSecret, UsageError } from '../../core/provider/errors.ts'
import { ApiError } from './api-error.ts'

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

/**
 * Reads keys, one per line: `NAME: KEY`. Empty lines and lines that start with `#` are skipped.
 * @throws UsageError that names the line, never its content
 */
export function parseKeys(text: string, file: string): Keys {
  const keys: Keys = {}
  for (const [i, line] of text.split('\n').entries()) {
    if (/^\s*(#|$)/.test(line)) continue
    const [, name, key] = /^\s*([\w.@-]+)\s*[:=]\s*(\S+)\s*$/.exec(line) ?? []
    if (!name || !key) throw new UsageError(`${file}:${i + 1}: expected NAME: KEY`)
    keys[name] = key
  }
  if (Object.keys(keys).length === 0)
    throw new UsageError(`${file}: expected at least one line NAME: KEY, got none`)
  return keys
}
