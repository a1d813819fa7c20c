import fc from 'fast-check'
import { expect, test } from 'vitest'
import { findCopyable, markTokens } from './copyable.ts'

test('runs of four words that a draft has are copied, whatever their case and punctuation', () => {
  const target = 'So: the sky is blue today, because air scatters light.'
  const spans = findCopyable(target, ['The sky is blue, I think.', 'air scatters light'])
  expect(spans.map(({ start, end }) => target.slice(start, end))).toEqual(['the sky is blue'])
  expect(findCopyable('one two three', ['one two three'])).toEqual([])
  expect(findCopyable('a b c d e', ['a b c d', 'b c d e'])).toEqual([{ start: 0, end: 9 }])
})

test('a token counts as copied if it touches a copied word; white space before it does not', () => {
  const tokens = ['So', ' the', ' sk', 'y is', '\n', 'x']
  expect(markTokens(tokens, 'So the sky is\nx', [{ start: 3, end: 10 }])).toEqual([
    false,
    true,
    true,
    true,
    false,
    false,
  ])
  expect(markTokens(['\uFFFD'], 'e', [])).toBeUndefined()
  expect(markTokens(['So', ' it'], 'So is', [])).toBeUndefined()
})

test('a character that is split over several tokens is in each of them', () => {
  const text = 'a 🏗️ b 好(hǎo) é🎉'
  const piece = fc.constantFrom('a', ' ', '🏗️', 'b', '好', '(', 'ǎ', 'é', '🎉', '\n')
  const texts = fc.array(piece, { minLength: 1, maxLength: 24 }).map((pieces) => pieces.join(''))
  const check = (text: string, cuts: number[]) => {
    const bytes = new TextEncoder().encode(text)
    const ends = [...new Set([...cuts.map((cut) => 1 + (cut % bytes.length)), bytes.length])].sort(
      (a, b) => a - b,
    )
    const tokens = ends.map((end, i) => new TextDecoder().decode(bytes.slice(i && ends[i - 1], end)))
    const spans = [...text.matchAll(/[ab]+/g)].map(({ index, 0: { length } }) => ({
      start: index,
      end: index + length,
    }))
    const marks = markTokens(tokens, text, spans)
    expect(marks).toHaveLength(tokens.length)
    for (const [i, token] of tokens.entries())
      if (!token.includes('\uFFFD')) expect(marks?.[i]).toBe(/[ab]/.test(token))
  }
  check(text, [...new TextEncoder().encode(text).keys()])
  fc.assert(fc.property(texts, fc.array(fc.nat(), { maxLength: 40 }), check))
})
