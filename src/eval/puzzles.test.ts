import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
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
