import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { Completion } from '../core/provider/records.ts'
import { sumUsage } from '../core/provider/usage.ts'
import type { RunControls } from './control-run.ts'
import { tabulate } from './control-table.ts'
import { puzzles } from './puzzles.ts'

const folder = mkdtempSync(join(tmpdir(), 'puzzles-'))
afterAll(() => rmSync(folder, { recursive: true }))

const put = (row: object) => {
  const file = join(folder, 'questions.jsonl')
  writeFileSync(file, JSON.stringify(row))
  return file
}
const messages = [{ role: 'user', content: '(1) Roads: A B. Go from A to B.' }]

test('an answer counts as a whole and by part', async () => {
  const { questions } = await puzzles.read(put({ id: 'a', messages, target: '(1) A B\n(2) C D' }))
  const [question] = questions as [(typeof questions)[0]]
  expect(question).toMatchObject({ id: 'a', messages })
  const texts = ['(1) A B\n(2) C D.', '(1) A B', 'A B']
  expect(await puzzles.score(texts.map((text) => ({ question, text })))).toEqual([
    { whole: 1, parts: 1 },
    { whole: 0, parts: 0.5 },
    { whole: 0, parts: 0 },
  ])
})

test('a row without a right answer in numbered lines is refused with its place', async () => {
  const file = put({ messages, target: 'A B' })
  await expect(puzzles.read(file)).rejects.toThrow(
    /questions\.jsonl:1: expected `target` to have a line "\(1\) …"/,
  )
})

test('answers vote as a whole and by part, and may be right by part where none is right as a whole', () => {
  const texts = ['(1) A B\n(2) C X', 'So:\n(1) A B.\n(2) C D', '(1) A Y\n(2)  C D', '(1) A B\n(2) C X']
  expect(puzzles.votes?.whole(texts)).toBe(texts[0])
  expect(puzzles.votes?.parts?.(texts.slice(0, 3))).toBe('(1) A B\n(2) C D')
  expect(puzzles.votes?.whole([])).toBe('')
})

test('the table has votes of answers in lines, of as many completions as the aggregation too', async () => {
  const { questions } = await puzzles.read(put({ id: 'a', messages, target: '(1) A B\n(2) C D' }))
  const [question] = questions as [(typeof questions)[0]]
  const completion = (text: string, index: number) => ({ text, index }) as Completion
  const texts = ['(1) A B\n(2) C X', '(1) A Y\n(2) C D', '(1) A B\n(2) C D']
  const answer = { text: '7', completions: 3, usage: sumUsage([]), ms: 1 }
  const answers = { single: answer, majority: answer, 'majority-same': answer, aggregated: answer }
  const table = await tabulate(
    puzzles,
    {
      outcome: 'done',
      failures: [],
      answered: [
        {
          question,
          proposals: { completions: texts.slice(0, 2).map(completion), agreement: 0 },
          more: { completions: texts.map(completion), agreement: 0 },
          answers,
        },
      ],
    } as unknown as RunControls,
    1,
  )
  const whole = Object.fromEntries(table.rows.map((row) => [row.control, row.scores.whole?.mean]))
  expect(whole).toEqual({
    single: 0,
    oracle: 0,
    'oracle-same': 1,
    'majority-same': 0,
    'majority-parts-same': 1,
    aggregated: 0,
  })
})
