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
  expect(markTokens(['\uFFFD'], 'é', [])).toBeUndefined()
})
