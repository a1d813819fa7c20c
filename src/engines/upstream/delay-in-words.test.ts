import { expect, test } from 'vitest'
import { delayInWords } from './delay-in-words.ts'
import { errorFromChunk, errorFromResponse } from './error.ts'

test.each([
  ['Rate limit reached for m. Please try again in 20s.', 20_000],
  ['Please try again in 7.66s. Visit x', 7660],
  ['Please try again in 1m2.5s.', 62_500],
  ['Please try again in 350ms.', 350],
  ['Please retry after 24 seconds.', 24_000],
  ['Wait 2 minutes', 120_000],
  ['Try again later. You have used 20s of audio', undefined],
  ['retry after 3 attempts', undefined],
])('the delay in words: %s', (message, ms) => {
  expect(delayInWords(message)).toBe(ms)
})

test('a rate limit waits for it, and for the reset that a gateway puts into the body', () => {
  const ask = (error: object) =>
    errorFromResponse('it', { status: 429, headers: new Headers() }, JSON.stringify({ error })).retryAfterMs
  expect(ask({ message: 'Please try again in 20s.' })).toBe(20_000)
  const headers = { 'X-RateLimit-Reset': String(Date.now() + 25_000) }
  expect(ask({ message: 'slow down', metadata: { headers } })).toBeGreaterThan(20_000)
  const inAnswer = errorFromChunk('it', { message: 'Rate limit reached. Please try again in 7s.', code: 429 })
  expect(inAnswer.retryAfterMs).toBe(7_000)
})
