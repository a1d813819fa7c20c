/** A row of each form means the same to the readers; `forms.slow.test.ts` asks the commands. */
import { expect, test } from 'vitest'
import { readRow } from '../../src/data/sources/responses.ts'
import { formOf, forms } from '../../src/files/forms/forms.ts'
import { readPromptRow } from '../../src/files/prompt-row.ts'
import { RowProblem } from '../../src/files/rows/row.ts'
import { readForms } from './table.ts'

const files = readForms()
const find = (name: string) => files.find((file) => file.name === name)?.row ?? {}

test.each(files.map((file) => [file.name, file] as const))(
  '%s',
  (_, { row, messages, proposals, target }) => {
    if (!messages) {
      expect(() => readPromptRow(row, 1)).toThrow(RowProblem)
      return expect(() => readRow(row, 'f:1')).toThrow(RowProblem)
    }
    expect(readPromptRow(row, 1).messages).toEqual(messages)
    expect(formOf(row).target?.(row)).toBe(target)
    if (!proposals) return expect(() => readRow(row, 'f:1')).toThrow('expected several answers per row')
    const read = readRow(row, 'f:1')
    expect(read.prompt).toEqual(messages)
    expect(read.responses.map(({ text }) => text)).toEqual(proposals)
  },
)

test('each form has a row, and no two files have one name', () => {
  const found = new Set(files.map(({ row }) => formOf(row)))
  expect(forms.filter((form) => !found.has(form)).map(({ name }) => name)).toEqual([])
  expect(new Set(files.map(({ name }) => name)).size).toBe(files.length)
})

test.each([
  ['TRL: preference', [1, 0], ['unknown', 'unknown']],
  ['Anthropic HH', [1, 0], ['unknown', 'unknown']],
  ['UltraFeedback', [4.5, undefined], ['a', 'b']],
  ['UltraFeedback cleaned (argilla)', [4.5, 2], ['a', 'b']],
  ['UltraFeedback binarized (H4)', [8, 5.5], ['unknown', 'unknown']],
  ['distilabel', [5, undefined], ['a', 'b']],
  ['distilabel: preference', [5, 1], ['a', 'b']],
  ['Nectar', [-1, -2], ['a', 'b']],
  ['numbered answers', [1, 0], ['unknown', 'unknown']],
  ['Chatbot Arena', [1, 0], ['a', 'b']],
  ['AlpacaEval annotations', [undefined, undefined], ['a', 'b']],
])('%s says which answer is better, and who wrote it', (name, scores, models) => {
  const { responses } = readRow(find(name), 'f:1')
  expect(responses.map(({ score }) => score)).toEqual(scores)
  expect(responses.map(({ model }) => model)).toEqual(models)
})

const chat = (content: string) => [
  { role: 'user', content: 'a' },
  { role: 'assistant', content },
]

test.each([
  [
    { chosen: chat('b'), rejected: [{ role: 'user', content: 'x' }, ...chat('c')] },
    'to differ in their last turn only',
  ],
  [{ chosen: chat('b').slice(0, 1), rejected: chat('c') }, '`chosen` to end with the assistant, got "user"'],
  [{ chosen: 'b', rejected: 'c' }, 'expected one of the fields messages, query, prompt'],
  [{ prompt: 'a', chosen: 3, rejected: 'c' }, '`chosen` to be a list of messages, got 3'],
  [{ instruction: 'a', generations: ['b', 'c'], ratings: [1] }, '`ratings` to have 2 elements, got 1'],
  [
    { instruction: 'a', generations: ['b', 'c'], ratings: [1, 'good'] },
    '`ratings[1]` to be a number, got "good"',
  ],
  [{ instruction: 'a', input: 7, responses: ['b', 'c'] }, '`input` to be text, got 7'],
  [
    { conversations: [{ from: 'function_call', value: '{}' }], responses: ['b'] },
    '`conversations[0].from` to be human',
  ],
  [{ prompt: 'a', images: ['x.png'], responses: ['b', 'c'] }, 'no `images`: training reads text only'],
  [{ system: 3, prompt: 'a', responses: ['b'] }, '`system` to be text, got 3'],
  [{ prompt: 'a', response_a: 'b', response_b: 3 }, '`response_b` to be text, got 3'],
  [{ prompt: 'a', responses: [{ reply: 'b' }] }, '`responses[0].text` to be text, got nothing'],
])('what is there and cannot be read is told: %j', (row, problem) => {
  expect(() => readRow(row, 'f:1')).toThrow(problem)
})
