import { expect, test } from 'vitest'
import { askedDelayMs, backoffMs } from './retry.ts'

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
  expect(read({ 'retry-after': 'soon' })).toBeUndefined()
  expect(read({ 'retry-after': '-1' })).toBeUndefined()
  expect(read({})).toBeUndefined()
})
