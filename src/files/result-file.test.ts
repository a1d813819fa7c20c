import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { readResults } from './result-file.ts'

const saved = path.join(import.meta.dirname, '../../bench/results/evaluation-gsm8k-2x1.json')

/** A folder with a result as 0.1.0 wrote it, or changed. */
function makeFolder(change?: (result: Record<string, unknown>) => object): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'aft-result-'))
  const result = { ...JSON.parse(readFileSync(saved, 'utf8')), machine: 'a machine' }
  const text = JSON.stringify(change ? change(result) : result)
  writeFileSync(path.join(folder, 'result.json'), text)
  writeFileSync(path.join(folder, 'questions.jsonl'), '')
  return folder
}

test("a result with the token names of 0.1.0 is read with today's, and its figures are the same", async () => {
  const { rows } = JSON.parse(readFileSync(saved, 'utf8'))
  expect(rows[0]).toHaveProperty('generated_tokens')
  const read = await readResults(makeFolder())
  if (read.kind !== 'controls') throw new Error('expected controls')
  expect(read.result.rows.map((row) => [row.input_tokens, row.output_tokens])).toEqual(
    rows.map((row: Record<string, number>) => [row.prompt_tokens, row.generated_tokens]),
  )
  expect(read.result.rows[0]).not.toHaveProperty('generated_tokens')
})

test("a result with today's names is read as it is", async () => {
  const before = await readResults(makeFolder())
  const again = await readResults(makeFolder(() => before.result))
  expect(again.result).toEqual(before.result)
})

test('a result without a figure is refused with its place', async () => {
  const folder = makeFolder(({ rows, ...rest }) => ({
    ...rest,
    rows: (rows as Record<string, unknown>[]).map(({ generated_tokens: _, ...row }) => row),
  }))
  await expect(readResults(folder)).rejects.toThrow(/result\.json: .*rows\.0\.output_tokens/)
})
