import { expect, test } from 'vitest'
import { cutLeak, defaultDemonstrations, demonstrationStops, renderDemonstrations } from './demonstrations.ts'

test.each([
  ['It melts.\n\n# Question\nWhy is grass green?', 'It melts.'],
  ['It melts.\n## question 2\nWhy?', 'It melts.'],
  ['It melts.\nQuestion: Why?', 'It melts.'],
  ['It melts.\nQ: Why?\nA: So.', 'It melts.'],
  ['# Answer\nIt melts.', ''],
  ['  It melts.\n# \n#\n', 'It melts.'],
  ['7 * 6 = 42\n####', '7 * 6 = 42'],
  ['7 * 6 = 42\n#### 42', '7 * 6 = 42\n#### 42'],
  ['# Soup\nBoil it.', '# Soup\nBoil it.'],
  ['The question: is it? #\nYes', 'The question: is it? #\nYes'],
])('%j is cut to %j', (text, kept) => {
  expect(cutLeak(text)).toBe(kept)
})

test('the demonstrations come before the question, in a form that matches the stop strings', () => {
  const text = renderDemonstrations('Why?', [{ question: 'How?', answer: 'So.' }])
  expect(text).toBe('# Question\nHow?\n\n# Answer\nSo.\n\n# Question\nWhy?\n\n# Answer\n')
  expect(demonstrationStops.every((stop) => text.includes(stop))).toBe(true)
  for (const { answer } of defaultDemonstrations) expect(cutLeak(answer)).toBe(answer)
})
