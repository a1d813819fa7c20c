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

test('work that the machine did not let run is tried again', () => {
  let tries = 0
  const waitsAtFirst = () => {
    if (++tries === 1) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 700)
    while (tries === 1);
    return tries
  }
  expect(within(600, waitsAtFirst)).toBe(2)
})
