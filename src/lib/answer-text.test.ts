import fc from 'fast-check'
import { expect, test } from 'vitest'
import { extractFlexible } from '../eval/gsm8k.ts'
import { extractAnswer } from './answer-text.ts'

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
])('the answer of %j is %j', (text, answer) => {
  expect(extractAnswer(text)).toBe(answer)
})

test.each([
  'The answer is: 18',
  'The answer is 18.',
  'Answer: \\(18\\)',
  '#### \\boxed{18}',
  '##### 18',
  '#### x = 18',
  '#### +18',
  '#### ~18',
  '#### €18',
  '#### 18</s>',
  '#### therefore 18 dollars',
  '#### 18.0\n####',
])('one number behind the mark is the answer, in any words: %j', (text) => {
  expect(extractAnswer(text)).toBe('18')
})

test.each([
  ['#### \u22125', '-5'],
  ['\\boxed{1{,}800}', '1800'],
  ['\\boxed{\\sqrt{2}}', 'sqrt{2}'],
  ['\\boxed{x^2}', 'x^2'],
  ['Answer: H2O', 'h2o'],
  ['Answer: 3/4', '3/4'],
  ['Answer: 1.234.567', '1.234.567'],
])('what is more than one number stays text: %j is %j', (text, answer) => {
  expect(extractAnswer(text)).toBe(answer)
})

test('two texts with one number behind the mark have one answer if the scorer of GSM8K finds the same number', () => {
  const words = fc.constantFrom('', 'so ', 'about ', 'x = ', '$', '**')
  const marks = fc.constantFrom('#### ', 'The answer is ', 'The answer is: ', 'Answer: ')
  const units = fc.constantFrom('', '.', ' apples', ' %', '!', '</s>')
  const number = fc.integer({ min: -3_000, max: 3_000 }).map((n) => n / 2)
  const text = fc.tuple(marks, words, number, units).map((parts) => `Let me see.\n${parts.join('')}`)
  fc.assert(
    fc.property(text, text, (one, other) => {
      const areSame = extractFlexible(one) === extractFlexible(other)
      return areSame === (extractAnswer(one) === extractAnswer(other))
    }),
  )
})

test.each([
  ['{"label": "spam", "score": 1.0}', '{"score":1,"label":"spam"}', true],
  ['```json\n{"a": [1, 2]}\n```', '{"a":[1,2]}', true],
  ['{"a": 1}', '{"a": 2}', false],
  ['{"a": "1"}', '{"a": 1}', false],
  ['[1, 2]', '[2, 1]', false],
])('JSON is compared by its value: %s and %s', (one, other, areSame) => {
  expect(extractAnswer(one) === extractAnswer(other)).toBe(areSame)
})

test('texts and numbers are compared as JSON if they were asked for as JSON', () => {
  expect(extractAnswer('"room 12"', true)).not.toBe(extractAnswer('"hall 12"', true))
  expect(extractAnswer('1e2', true)).toBe(extractAnswer('100.0', true))
  expect(extractAnswer('"18"')).toBe(extractAnswer('18'))
})

test('never throws, and hostile texts take no more than linear time', () => {
  fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => typeof extractAnswer(text) === 'string'))
  const n = 30_000
  const starts = ['####', 'answer is', '\\boxed{', '{"a":', '[', '```json\n{', '1', '#', '-', '0.']
  for (const start of starts) {
    for (const piece of [start, '\n', ' ', '!', '0', '1,', '[', '#', '```']) {
      for (const end of ['', 'x', '1']) extractAnswer(start + piece.repeat(n / piece.length) + end)
    }
  }
})
