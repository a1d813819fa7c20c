import { expect, test } from 'vitest'
import { rateInterval } from './rate-interval.ts'

test('an interval of a rate has 1.96 standard errors to each side, and ends at 0 and 100', () => {
  expect(rateInterval(50, 10)).toEqual({ low: 30.4, high: 69.6 })
  expect(rateInterval(83.3, 16.7).high).toBe(100)
  expect(rateInterval(2, 3).low).toBe(0)
})
