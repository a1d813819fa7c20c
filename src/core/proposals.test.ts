import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { extractAnswer, findUnusable } from './proposals.ts'

describe('extractAnswer', () => {
  test.each([
    ['It takes 3 steps.\n#### 1,234', '1234'],
    ['#### 7\nWait, no.\n#### 8', '8'],
    ['So \\boxed{\\frac{1}{2}} it is, not 7', 'frac{1}{2}'],
    ['\\boxed{42', '42'],
    ['The answer is **blue**.', 'blue'],
    ['Answer: 12.0 apples', '12'],
    ['the answer is $18', '18'],
    ['The answer is 40 %.', '40'],
    ['We had 5, then 3 more: 8 in all', '8'],
    ['from -3 to -2.50', '-2.5'],
    ['Paris', 'paris'],
    ['  The  Eiffel Tower! ', 'the eiffel tower'],
    ['', ''],
  ])('of %j is %j', (text, answer) => {
    expect(extractAnswer(text)).toBe(answer)
  })

  test('never throws, and gives one line of text', () =>
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => typeof extractAnswer(text) === 'string'),
    ))
})

describe('an unusable text', () => {
  const distinct = (n: number) => Array.from({ length: n }, (_, i) => `w${i}`).join(' ')

  test('is empty, or repeats more than 30 % of its 8-grams over at least 64 words', () => {
    expect(findUnusable(' \n\t')).toBe('empty')
    expect(findUnusable('again '.repeat(63))).toBeUndefined()
    expect(findUnusable('again '.repeat(64))).toBe('runaway')
    expect(findUnusable(distinct(500))).toBeUndefined()
    expect(findUnusable(`${distinct(100)} ${distinct(30)}`)).toBeUndefined()
    expect(findUnusable(`${distinct(100)} ${distinct(60)}`)).toBe('runaway')
  })

  test('may have no spaces at all: a runaway of line art or of a script without spaces', () => {
    expect(findUnusable('-'.repeat(600))).toBe('runaway')
    expect(findUnusable('天空是蓝色的因为'.repeat(80))).toBe('runaway')
    expect(findUnusable('天空为什么是蓝色的')).toBeUndefined()
  })
})
