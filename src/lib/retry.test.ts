import { expect, test } from 'vitest'
import { askedDelayMs, backoffMs, resetDelayMs } from './retry.ts'

test('the wait doubles from 250 ms to 8 s, and half of it is chance', () => {
  const longest = [1, 2, 3, 4, 5, 6, 7].map((failures) => backoffMs(failures, undefined, () => 1))
  expect(longest).toEqual([250, 500, 1000, 2000, 4000, 8000, 8000])
  expect(backoffMs(3, undefined, () => 0)).toBe(500)
})

test('a server that asks for a delay gets it', () => {
  expect(backoffMs(1, 30_000, () => 0)).toBe(30_000)
  expect(backoffMs(9, 0, () => 1)).toBe(250)
})

test('the delay asked for is read from either header', () => {
  const now = Date.parse('2026-11-23T10:00:00Z')
  const read = (headers: Record<string, string>) => askedDelayMs((name) => headers[name], now)
  expect(read({ 'retry-after-ms': '120', 'retry-after': '9' })).toBe(120)
  expect(read({ 'retry-after': '1.5' })).toBe(1500)
  expect(read({ 'retry-after': 'Mon, 23 Nov 2026 10:00:03 GMT' })).toBe(3000)
  expect(read({ 'retry-after': 'Mon, 23 Nov 2026 09:00:00 GMT' })).toBe(0)
  expect(read({ 'retry-after': '2s' })).toBe(2000)
  expect(read({ 'retry-after': '1m30s' })).toBe(90_000)
  expect(read({ 'retry-after': 'soon' })).toBeUndefined()
  expect(read({ 'retry-after': '-1' })).toBeUndefined()
  expect(read({})).toBeUndefined()
})

test('the reset of a limit that is used up is read in each of its forms, and bounded', () => {
  const now = Date.parse('2026-11-23T10:00:00Z')
  const read = (headers: Record<string, string>) => resetDelayMs((name) => headers[name], now)
  const at = (reset: string) => read({ 'x-ratelimit-reset': reset })
  const times = [
    '7',
    '1.5s',
    '20ms',
    '1m2s',
    '59m59s',
    `${now / 1000 + 3}`,
    `${now + 4000}`,
    '2026-11-23T10:00:05Z',
  ]
  expect(times.map(at)).toEqual([7000, 1500, 20, 60_000, 60_000, 3000, 4000, 5000])
  expect(['', 'soon', '-1', 'm', '1h1'].map(at)).toEqual(Array(5).fill(undefined))
  const both = { 'x-ratelimit-reset-tokens': '3s', 'x-ratelimit-reset-requests': '9s' }
  expect(read(both)).toBe(3000)
  expect(read({ ...both, 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-remaining-tokens': '8' })).toBe(
    9000,
  )
})
