import { expect, test } from 'vitest'
import { sumUsage } from './usage.ts'

const usage = { calls: 1, inputTokens: 10, prefilledTokens: 8, outputTokens: 3 }

test('usages add up, and what only some tell is the sum of those', () => {
  expect(sumUsage([usage, { ...usage, cost: 0.5 }, { ...usage, cost: 0.25, estimated: true }])).toEqual({
    calls: 3,
    inputTokens: 30,
    prefilledTokens: 24,
    outputTokens: 9,
    cost: 0.75,
    estimated: true,
  })
})

test('prefilled tokens are unknown as soon as one engine cannot tell', () => {
  expect(sumUsage([usage, { ...usage, prefilledTokens: null }, usage]).prefilledTokens).toBeNull()
})

test('what was paid twice is no part of the sum', () => {
  expect(sumUsage([{ ...usage, repeated: { calls: 1, prefilledTokens: 8 } }]).calls).toBe(1)
})
