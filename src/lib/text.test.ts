import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { agreement, findCentral, findTrim, repeatedShare, trimMiddle } from './text.ts'

describe('the repeated share of a text', () => {
  test('is from 0 to below 1', () =>
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 200 }), (words) => {
        const share = repeatedShare(words.join(' '))
        return share >= 0 && share < 1
      }),
    ))

  test('is the same above a floor as without one', () =>
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 64, maxLength: 300 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 1, max: 4 }),
        (words, floor, times) => {
          const text = Array.from({ length: times }, () => words.join(' ')).join(' ')
          const share = repeatedShare(text)
          return share > floor ? repeatedShare(text, floor) === share : repeatedShare(text, floor) <= floor
        },
      ),
    ))
})

describe('agreement', () => {
  test('is 1 of equal texts whatever their case, 0 of texts that share no pair of words', () => {
    expect(agreement(['The sky is blue', 'the SKY is blue'])).toBe(1)
    expect(agreement(['one two three', 'four five six'])).toBe(0)
    expect(agreement(['only'])).toBe(1)
    expect(agreement(['Paris', 'paris', 'London'])).toBeCloseTo(1 / 3)
  })

  test('is from 0 to 1, and the order of the texts does not matter', () =>
    fc.assert(
      fc.property(fc.array(fc.lorem({ maxCount: 6 }), { minLength: 2, maxLength: 6 }), (texts) => {
        const value = agreement(texts)
        expect(agreement([...texts].reverse())).toBeCloseTo(value)
        expect(value).toBeGreaterThanOrEqual(0)
        expect(value).toBeLessThanOrEqual(1)
      }),
    ))

  test('has a center: the text most like the others, the first of equals', () => {
    expect(findCentral(['a b c', 'a b c d', 'x y z'])).toBe(0)
    expect(findCentral(['x y z', 'a b c', 'a b c d', 'a b c d e'])).toBe(2)
    expect(findCentral(['same', 'same'])).toBe(0)
  })
})

describe('a trim', () => {
  test('keeps head and tail evenly, and shorter texts whole', () => {
    expect(trimMiddle('0123456789', 4)).toBe('01\n[…]\n89')
    expect(trimMiddle('0123456789', 5)).toBe('012\n[…]\n89')
    expect(trimMiddle('0123456789', 10)).toBe('0123456789')
    expect(trimMiddle('0123456789', 1)).toBe('0\n[…]\n')
  })

  test('never cuts a character in two', () => {
    expect(trimMiddle('🦊'.repeat(9), 4)).toBe('🦊🦊\n[…]\n🦊🦊')
  })

  test('finds the largest limit that fits, within a few characters, and none where none fits', () =>
    fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 20_000 }), fc.nat(20_000), async (longest, most) => {
        const limit = await findTrim(longest, async (limit) => limit <= most)
        if (limit === undefined) return Math.min(most, longest) < 9
        expect(limit).toBeLessThanOrEqual(Math.min(most, longest))
        return limit >= Math.min(most, longest) - Math.max(9, limit / 50 + 1)
      }),
    ))
})

test('a share over the floor comes as exactly as without one, whatever the words and the white space', () =>
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('a', 'be', 'é', '天空', 'x'.repeat(60), '😀'.repeat(40)), { maxLength: 150 }),
      fc.array(fc.constantFrom(' ', '\n', '\u00a0', '\u3000', '\u2029', ' \t'), {
        minLength: 1,
        maxLength: 4,
      }),
      fc.nat(40),
      (words, gaps, times) => {
        const some = words.map((word, i) => word + gaps[i % gaps.length]).join('')
        const text = some + some.slice(0, 4 * times)
        const share = repeatedShare(text)
        return share > 0.3 ? repeatedShare(text, 0.3) === share : repeatedShare(text, 0.3) <= 0.3
      },
    ),
  ))
