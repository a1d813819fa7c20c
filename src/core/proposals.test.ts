import { describe, expect, test } from 'vitest'
import { findUnusable } from './proposals.ts'

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
