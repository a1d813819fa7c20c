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

/** Milliseconds that `retry-after-ms` or `Retry-After` (seconds or a date) asks to wait; undefined without either. */
export function askedDelayMs(
  header: (name: string) => string | null | undefined,
  nowMs = Date.now(),
): number | undefined {
  const ms = readNumber(header('retry-after-ms'))
  if (ms !== undefined) return ms
  const after = header('retry-after')
  const seconds = readNumber(after)
  if (seconds !== undefined) return seconds * 1000
  const date = after?.includes(':') ? Date.parse(after) : Number.NaN
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs)
}

function readNumber(text: string | null | undefined): number | undefined {
  const value = text?.trim() ? Number(text) : Number.NaN
  return value >= 0 ? value : undefined
}
