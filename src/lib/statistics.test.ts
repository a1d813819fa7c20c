import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { randomFrom } from './random.ts'
import {
  bootstrapMean,
  correctHolm,
  mean,
  normalQuantile,
  normalShare,
  standardError,
  studentInterval,
  studentQuantile,
  testPairs,
} from './statistics.ts'

/** Share of simulated samples whose interval holds the truth. */
function coverage(draw: (random: () => number) => number, truth: number, n: number, level: number): number {
  const random = randomFrom(n)
  const runs = 400
  let held = 0
  for (let i = 0; i < runs; i++) {
    const values = Array.from({ length: n }, () => draw(random))
    const interval = bootstrapMean(values, { random, level, resamples: 400 })
    if (interval && interval.low <= truth && truth <= interval.high) held++
  }
  return held / runs
}

describe('an interval holds its truth as often as it says', () => {
  test.each([
    ['a share of 0.5', (r: () => number) => Number(r() < 0.5), 0.5, 60, 0.95],
    ['a share of 0.1', (r: () => number) => Number(r() < 0.1), 0.1, 100, 0.95],
    ['a share of 0.01: often no success at all', (r: () => number) => Number(r() < 0.01), 0.01, 60, 0.95],
    ['skewed values', (r: () => number) => -Math.log(1 - r()), 1, 80, 0.95],
    ['values from 0 to 1, at 80 %', (r: () => number) => r(), 0.5, 50, 0.8],
  ])('%s', (_, draw, truth, n, level) => {
    const held = coverage(draw, truth, n, level)
    expect(held).toBeGreaterThan(level - 0.04)
    expect(held).toBeLessThan(Math.max(level + 0.04, truth < 0.05 ? 1.01 : 0))
  })
})

describe('a paired test calls equals different as seldom as it says', () => {
  const reject = (draw: (random: () => number) => number, shift: number) => {
    const random = randomFrom(3)
    const runs = 300
    let rejected = 0
    for (let i = 0; i < runs; i++) {
      const first = Array.from({ length: 60 }, () => draw(random))
      const second = Array.from({ length: 60 }, () => draw(random) + shift)
      if (testPairs(first, second, { random, resamples: 300 }).p <= 0.05) rejected++
    }
    return rejected / runs
  }

  test('right or wrong', () => {
    expect(reject((r) => Number(r() < 0.4), 0)).toBeLessThan(0.07)
  })

  test('real values', () => {
    const rate = reject((r) => r(), 0)
    expect(rate).toBeGreaterThan(0.02)
    expect(rate).toBeLessThan(0.08)
  })

  test('and finds a difference that is there', () => {
    expect(reject((r) => r(), 0.3)).toBeGreaterThan(0.95)
  })
})

test('the sign test is the binomial one', () => {
  const wins = [...new Array(9).fill(1), 0, ...new Array(10).fill(0)]
  const losses = [...new Array(9).fill(0), 1, ...new Array(10).fill(0)]
  const { p, unequal, difference } = testPairs(losses, wins, { random: randomFrom(1) })
  expect({ unequal, difference }).toEqual({ unequal: 10, difference: 0.4 })
  expect(p).toBeCloseTo((2 * (1 + 10)) / 2 ** 10, 12)
})

test('a series does not differ from itself', () => {
  const test = testPairs([1, 0, 1], [1, 0, 1], { random: randomFrom(1) })
  expect(test).toEqual({ difference: 0, interval: { low: 0, high: 0 }, p: 1, unequal: 0 })
})

test('equal differences: the interval holds them, and is mirrored if the series are swapped', () => {
  const value = fc.oneof(fc.constantFrom(-1, 0, 1, 0.1, 1 / 3), fc.double({ min: -10, max: 10, noNaN: true }))
  const series = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 1, maxLength: 30 })
  fc.assert(
    fc.property(value, series, fc.boolean(), (difference, values, areWhole) => {
      const first = areWhole ? values.map(Math.round) : values
      const second = first.map((one) => one + difference)
      const there = testPairs(first, second, { random: randomFrom(1), resamples: 50 })
      const back = testPairs(second, first, { random: randomFrom(1), resamples: 50 })
      expect(there.interval.low).toBeLessThanOrEqual(there.difference + 1e-9)
      expect(there.interval.high).toBeGreaterThanOrEqual(there.difference - 1e-9)
      expect(back.interval.low).toBeCloseTo(-there.interval.high, 9)
      expect(back.interval.high).toBeCloseTo(-there.interval.low, 9)
      expect(back.p).toBeCloseTo(there.p, 9)
      const isBinomial = Math.abs(Math.abs(difference) - 1) < 1e-13
      const width = there.interval.high - there.interval.low
      if (isBinomial) expect(width).toBeCloseTo(1 - 0.025 ** (1 / values.length), 6)
      else expect(width).toBeLessThan(1e-9)
    }),
  )
})

test('all wrong is not certainly all wrong', () => {
  const interval = bootstrapMean(new Array(100).fill(0), { random: randomFrom(1) })
  expect(interval?.low).toBe(0)
  expect(interval?.high).toBeCloseTo(0.0362, 4)
})

test('the same seed gives the same interval, no values give none', () => {
  const values = [1, 4, 2, 8, 5, 7]
  const interval = () => bootstrapMean(values, { random: randomFrom(5) })
  expect(interval()).toEqual(interval())
  expect(bootstrapMean([], { random: randomFrom(5) })).toBeUndefined()
})

test('series of different items are refused', () => {
  expect(() => testPairs([1], [1, 2], { random: randomFrom(1) })).toThrow(/same items, got 1 and 2/)
})

test('means, errors and the normal distribution are those of the tables', () => {
  expect(mean([1, 2, 3, 6])).toBe(3)
  expect(standardError([1, 2, 3, 6])).toBeCloseTo(1.0801, 4)
  expect(normalShare(1.96)).toBeCloseTo(0.975, 4)
  expect(normalQuantile(0.025)).toBeCloseTo(-1.95996, 4)
})

test("Student's quantiles are those of the tables; one value has no interval", () => {
  const tabled = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447]
  expect(tabled.map((_, i) => Number(studentQuantile(0.975, i + 1).toFixed(3)))).toEqual(tabled)
  expect(studentQuantile(0.975, 200)).toBeCloseTo(1.972, 3)
  const interval = studentInterval([1, 2, 3])
  expect(interval?.low).toBeCloseTo(2 - 2.4843, 3)
  expect(interval?.high).toBeCloseTo(2 + 2.4843, 3)
  expect(studentInterval([1])).toBeUndefined()
})

test('Holm: the least of three p values is multiplied by three, and the order stays', () => {
  expect(correctHolm([0.04, 0.01, 0.03])).toEqual([0.06, 0.03, 0.06])
  expect(correctHolm([0.5, 0.9])).toEqual([1, 1])
  expect(correctHolm([])).toEqual([])
})
