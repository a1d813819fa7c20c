/** Reads the public files unchanged. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { readRecords } from '../../files/rows/read-records.ts'
import type { BadRow, SourceRow } from '../../files/rows/row.ts'
import { extractAnswer } from '../../lib/answer-text.ts'
import { readBenchmark } from '../benchmark-prompts.ts'
import { findHits, readOwnFingerprints } from '../fingerprints.ts'
import { makeOwnFingerprints } from '../make-fingerprints.ts'
import { findSource } from './sources.ts'

const data = path.join(import.meta.dirname, '../../../../shared/data')
const why = existsSync(data) ? '' : ` (skipped: ${data} is missing)`

async function read(format: string, files: string[]): Promise<SourceRow[]> {
  const rows: (SourceRow | BadRow)[] = []
  for await (const row of findSource(format).read(readRecords(files))) rows.push(row)
  expect(rows.filter((row) => 'problem' in row)).toEqual([])
  return rows as SourceRow[]
}

test.skipIf(why)(
  `the four models' GSM8K solutions: their scores are what their answers say${why}`,
  async () => {
    const rows = await read('gsm8k-solutions', [path.join(data, 'gsm8k/example_model_solutions.jsonl')])
    expect(rows).toHaveLength(1319)
    expect(rows.every((row) => row.responses.length === 4 && /\n#### [^\n]+$/.test(row.target ?? ''))).toBe(
      true,
    )
    const texts = rows.flatMap((row) => [row.target, ...row.responses.map((r) => r.text)])
    expect(texts.filter((text) => text?.includes('<<'))).toEqual([])
    const agrees = rows.flatMap(({ responses, target = '' }) =>
      responses.map((r) => Number(extractAnswer(r.text) === extractAnswer(target)) === r.score),
    )
    expect(agrees.filter(Boolean).length / agrees.length).toBeGreaterThan(0.99)
  },
)

test.skipIf(why)(`seven systems' AlpacaEval outputs join to 805 prompts${why}`, async () => {
  const folder = path.join(data, 'alpaca-eval/outputs')
  const rows = await read(
    'alpaca-eval',
    readdirSync(folder)
      .sort()
      .map((name) => path.join(folder, name)),
  )
  expect(rows).toHaveLength(805)
})

test.skipIf(why)(
  `the fingerprints come from the owners' files, and flag every prompt of theirs${why}`,
  async () => {
    expect(
      (await makeOwnFingerprints(data)).equals(readFileSync(new URL('../fingerprints.bin', import.meta.url))),
    ).toBe(true)
    const sets = readOwnFingerprints()
    const prompts = await readBenchmark(path.join(data, 'alpaca-eval/outputs/Together-MoA.json'))
    expect(prompts.filter((prompt) => !findHits(prompt, sets).includes('alpaca-eval'))).toEqual([])
    const train = await readBenchmark(path.join(data, 'gsm8k/train.jsonl'))
    expect(train.filter((prompt) => findHits(prompt, sets).length > 0).length).toBeLessThan(10)
  },
)

const failed = path.join(data, '../cases/data/journal-failed-attempt/j.journal')
const whyNot = existsSync(failed) ? '' : ` (skipped: ${failed} is missing)`

test.skipIf(whyNot)(`a draft of a failed attempt is not a proposal${whyNot}`, async () => {
  const rows = await read('journal', [failed])
  expect(rows.map(({ responses }) => responses.map(({ text }) => text))).toEqual([
    ['NEW zero of the second attempt'],
  ])
})
