/** `runs/routes.sh` from its first line to its tables, with a model of two layers. Two minutes. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeTiny } from './tiny-model.ts'

const root = path.join(import.meta.dirname, '..')
const folder = mkdtempSync(path.join(tmpdir(), 'aft-routes-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

beforeAll(async () => {
  await makeTiny(path.join(folder, 'tiny'))
})

test('all steps run, and a second start makes the same tables from what is there', () => {
  const env = {
    ...process.env,
    BASE: path.join(folder, 'tiny'),
    SEEDS: '1',
    PROPOSER_STEPS: '2',
    FIRST_STEPS: '2',
    STEPS: '2',
    WIDE_STEPS: '2',
    BATCH: '2',
    TEST: '3',
    OMP_NUM_THREADS: '1',
  }
  const out = path.join(folder, 'out')
  const run = () =>
    execFileSync('runs/routes.sh', [out], {
      cwd: root,
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  const printed = run()
  for (const name of ['prompts', 'wordings', 'larger', 'ladders', 'timetables'])
    expect(printed).toContain(`${name}: 3 questions, 1 seeds`)
  const table = () => readFileSync(path.join(out, 'table.json'), 'utf8')
  const first = table()
  const { tables } = JSON.parse(first)
  expect(tables[0].rows.map(({ title }: { title: string }) => title)).toEqual(
    expect.arrayContaining([
      'one answer',
      'AFT model over the drafts of the proposer',
      'SFT twin, one answer',
    ]),
  )
  for (const { rows } of tables)
    for (const { share, interval } of rows) expect(interval.low <= share && share <= interval.high).toBe(true)
  run()
  expect(table()).toBe(first)
  const again = (place: string, ...seeds: string[]) =>
    execFileSync(process.execPath, ['runs/routes-table.ts', place, ...seeds], { cwd: root, encoding: 'utf8' })
  expect(again(path.join(out, 'questions.jsonl.gz'))).toBe(again(out, '1')) // from the answers alone
})
