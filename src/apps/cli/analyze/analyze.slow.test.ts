import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { aft } from '../../../../test/command-line.ts'

const cwd = mkdtempSync(path.join(tmpdir(), 'analyze-'))
const read = (name: string) => readFileSync(path.join(cwd, name), 'utf8')
const write = (name: string, rows: object[]) => {
  mkdirSync(path.dirname(path.join(cwd, name)), { recursive: true })
  writeFileSync(path.join(cwd, name), rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
}

test('perplexity is scored once, resumes with more rows, and is refused with other settings', async () => {
  const row = (river: string) => ({
    prompt: `Name a river of ${river}.`,
    responses: [`A river of ${river} is long.`, `Its name is the ${river} river.`],
    target: `The ${river} river.`,
  })
  write('rows.jsonl', [row('Peru'), { prompt: 'Without a target?', responses: ['a', 'b'] }, row('Chad')])
  const args = ['analyze', 'perplexity', 'rows.jsonl', '--format', 'responses', '--proposals', '2']
  const asked = [...args, '--model', 'smollm2', '--threads', '1', '--no-progress', '-o', 'p', '--json']
  const first = await aft([...asked, '--limit', '1'], { cwd })
  expect(first).toMatchObject({ code: 0, stderr: '' })
  expect(JSON.parse(first.stdout)).toMatchObject({ n: 1, left_out: { 'no target': 1 } })
  const before = read('p/journal.jsonl')
  const second = await aft(asked, { cwd })
  const result = JSON.parse(second.stdout)
  expect(read('p/journal.jsonl').startsWith(before)).toBe(true)
  expect(JSON.parse(read('p/result.json'))).toEqual(result)
  expect(result).toMatchObject({ task: 'perplexity', n: 2, asked: 2, model: 'smollm2' })
  const [none, one, two, foreign] = result.conditions
  expect(result.conditions.map((c: { condition: string }) => c.condition)).toEqual([
    'no proposals',
    'one proposal',
    'two proposals',
    'two proposals of another question',
  ])
  expect(two.perplexity).toBeLessThan(none.perplexity)
  expect(two.perplexity).toBeLessThan(foreign.perplexity)
  expect(one).toMatchObject({ difference: expect.any(Number), lower: expect.any(Number) })
  const other = await aft([...asked, '--max-chars', '500'], { cwd })
  expect(other.stderr).toContain('maxChars: the journal has null, now it is 500')
})
