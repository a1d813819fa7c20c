import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { extractFlexible, extractStrict, gsm8k } from './gsm8k.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'gsm8k-'))
const write = (rows: object[]) => {
  const file = path.join(folder, 'questions.jsonl')
  writeFileSync(file, rows.map((row) => JSON.stringify(row)).join('\n'))
  return file
}

describe('the answer of a text', () => {
  test.each([
    ['So 3 + 4 = 7.\n#### 7', 7, 7],
    ['#### $1,234.50', 1234.5, 1234.5],
    ['#### 18.', 18, 18],
    ['The answer is 1,000 dollars, or -$20', undefined, -20],
    ['#### 5\nBut then 6', 5, 6],
    ['It is 3.5 each', undefined, 3.5],
    ['no number at all', undefined, undefined],
    ['#### none', undefined, undefined],
  ])('%j is %j behind the mark, %j as the last number', (text, strict, flexible) => {
    expect([extractStrict(text), extractFlexible(text)]).toEqual([strict, flexible])
  })
})

test('questions are read, and both ways are scored', async () => {
  const { questions } = await gsm8k.read(write([{ question: 'How many?', answer: 'So <<1+1=2>>2\n#### 2' }]))
  const [question] = questions
  if (!question) throw new Error('no question')
  expect(question.target).toBe(2)
  const texts = ['#### 2', 'It is 2.', '#### 3', '']
  expect(await gsm8k.score(texts.map((text) => ({ question, text })))).toEqual([
    { strict: 1, flexible: 1 },
    { strict: 0, flexible: 1 },
    { strict: 0, flexible: 0 },
    { strict: 0, flexible: 0 },
  ])
})

test.each([
  [{ question: '', answer: '#### 1' }, /\.jsonl:1: expected `question`/],
  [{ question: 'q', answer: 'two' }, /\.jsonl:1: expected `answer` to end in "#### N", got "two"/],
])('%j is refused', async (row, message) => {
  await expect(gsm8k.read(write([row]))).rejects.toThrow(message)
})
