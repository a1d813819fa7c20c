/** Named API keys. All are compared, each in constant time, so that time tells nothing of them. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { UsageError } from '../../core/provider/errors.ts'
import { ApiError } from './api-error.ts'

/** Name to key. */
export type Keys = Record<string, string>

/** The name of the key that a request bears, or undefined where none is asked for. */
export type KeyCheck = (authorization: string | undefined) => string | undefined

/** @throws (the check) ApiError 401 for a missing or wrong key */
export function createKeyCheck(keys: Keys): KeyCheck {
  const known = Object.entries(keys).map(([name, key]) => ({ name, digest: digestOf(key) }))
  if (known.length === 0) return () => undefined
  return (authorization) => {
    const [, given] = /^Bearer\s+(\S+)$/i.exec(authorization ?? '') ?? []
    const digest = digestOf(given ?? '')
    const [found] = known.filter((key) => timingSafeEqual(key.digest, digest))
    if (found && given) return found.name
    const problem = given ? 'the API key is wrong' : 'an API key is needed: Authorization: Bearer KEY'
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
 * Keys of a file: a line each, `NAME: KEY`; empty lines and those with `#` in front are passed over.
 * @throws UsageError that names the line, never what is in it
 */
export function parseKeys(text: string, file: string): Keys {
  const keys: Keys = {}
  for (const [i, line] of text.split('\n').entries()) {
    if (/^\s*(#|$)/.test(line)) continue
    const [, name, key] = /^\s*([\w.@-]+)\s*[:=]\s*(\S+)\s*$/.exec(line) ?? []
    if (!name || !key) throw new UsageError(`${file}:${i + 1}: expected NAME: KEY`)
    keys[name] = key
  }
  if (Object.keys(keys).length === 0) throw new UsageError(`${file}: holds no key`)
  return keys
}
