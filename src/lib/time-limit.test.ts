import { expect, test } from 'vitest'
import { TimeLimitError, within } from './time-limit.ts'

test('work that ends in time gives its value, or throws its error', () => {
  expect(within(1_000, () => 7)).toBe(7)
  expect(() => within(1_000, () => JSON.parse('{'))).toThrow(SyntaxError)
})

test('a loop and a regular expression are stopped in the middle', () => {
  const loop = () => {
    for (;;);
  }
  expect(() => within(20, loop)).toThrow(TimeLimitError)
  expect(() => within(20, () => /^(a+)+$/.test(`${'a'.repeat(60)}!`))).toThrow('takes longer than 20 ms')
  expect(within(1_000, () => 7)).toBe(7)
})

test('work that was only late is tried once more', () => {
  let tries = 0
  const lateAtFirst = () => {
    for (tries++; tries === 1; );
    return tries
  }
  expect(within(20, lateAtFirst)).toBe(2)
})
