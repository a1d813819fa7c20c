/** How long to wait before a retry. */

const BASE_MS = 250
const CAP_MS = 8_000

/**
 * Milliseconds to wait after this many failures in a row (from 1): at most 250 after the first, doubled with each
 * further one, at most 8,000. Half of it is random, so that many callers do not retry together. If the server asked
 * for a delay, it is that delay and at most 250 more.
 */
export function backoffMs(failures: number, askedMs?: number, random: () => number = Math.random): number {
  if (askedMs !== undefined) return askedMs + random() * BASE_MS
  const ceiling = Math.min(CAP_MS, BASE_MS * 2 ** (failures - 1))
  return ceiling * (0.5 + random() / 2)
}

type Header = (name: string) => string | null | undefined

/** Milliseconds that `retry-after-ms` or `Retry-After` (seconds, `1m30s` or a date) asks to wait; undefined without either. */
export function askedDelayMs(header: Header, nowMs = Date.now()): number | undefined {
  const ms = readNumber(header('retry-after-ms'))
  if (ms !== undefined) return ms
  const after = header('retry-after')?.trim() ?? ''
  const seconds = readNumber(after)
  return seconds === undefined ? readDelay(after, nowMs) : seconds * 1000
}

/** A reset is when the whole limit is there again. A part of it is there before. */
const MAX_RESET_MS = 60_000
const LIMITS = ['-tokens', '-requests', '']

/**
 * Milliseconds until a limit that is used up is reset, at most 60,000: `x-ratelimit-reset-tokens`, `-requests` or
 * without either, as `6m0s`, seconds or a time. Other answers than 429 have these headers too.
 */
export function resetDelayMs(header: Header, nowMs = Date.now()): number | undefined {
  const isUsedUp = (limit: string) => readNumber(header(`x-ratelimit-remaining${limit}`)) === 0
  const delays = [...LIMITS.filter(isUsedUp), ...LIMITS].map((limit) =>
    readDelay(header(`x-ratelimit-reset${limit}`)?.trim() ?? '', nowMs),
  )
  const delay = delays.find((ms) => ms !== undefined)
  return delay === undefined ? undefined : Math.min(delay, MAX_RESET_MS)
}

const DURATION = /^(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?$/
/** Numbers above are a time since 1970: in seconds, or, if they are larger still, in milliseconds. */
const [EPOCH_S, EPOCH_MS] = [1e9, 1e12]

/** Reads `6m0s`, `20ms`, seconds, a time since 1970, or a date. */
function readDelay(text: string, nowMs: number): number | undefined {
  const number = readNumber(text)
  if (number !== undefined) {
    if (number < EPOCH_S) return number * 1000
    return Math.max(0, (number < EPOCH_MS ? number * 1000 : number) - nowMs)
  }
  const parts = text === '' ? undefined : DURATION.exec(text)?.slice(1)
  if (parts) {
    const [hours = 0, minutes = 0, seconds = 0, ms = 0] = parts.map((part) => Number(part ?? 0))
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + ms
  }
  const date = text.includes(':') ? Date.parse(text) : Number.NaN
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs)
}

function readNumber(text: string | null | undefined): number | undefined {
  const value = text?.trim() ? Number(text) : Number.NaN
  return value >= 0 ? value : undefined
}
