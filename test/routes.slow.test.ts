/**
 * `runs/routes.sh`, `runs/routes-grid.sh` and `runs/routes-rewards.sh` from the first line to their tables, with a model of
 * two layers. Five minutes.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
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
  SIDE: '2',
  REST: '2',
  WIDTHS: '1,2',
  DEPTHS: '0,1,2',
  OMP_NUM_THREADS: '1',
}
const out = path.join(folder, 'out')
const run = (script = 'runs/routes.sh') =>
  execFileSync(script, [out], {
    cwd: root,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })

test('all steps run, and a second start makes the same tables from what is there', () => {
  const printed = run()
  expect(printed).toContain('prompts: 3 questions, seeds: 1')
  for (const name of ['wordings', 'larger', 'ladders', 'timetables'])
    expect(printed).toContain(`${name}: 2 questions, seeds: 1`)
  expect(printed).toMatch(/\none long answer \(2\) +0\.0 %/)
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

test('then widths, depths, an order and drafts of another model have one table', () => {
  const grid = run('runs/routes-grid.sh')
  expect(grid).toMatch(/\n1 x 1, AFT model +0\.0 %.*\n2 x 2, AFT model .*\nother drafts, AFT model /s)
  expect(run('runs/routes-grid.sh')).toBe(grid.slice(grid.lastIndexOf('\none answer ') + 1))
})

test('and it goes on by right answers and by rewards, over the same drafts', () => {
  const model = path.join(out, '1/aft')
  symlinkSync(path.join(out, '1/proposer'), path.join(model, 'proposer'))
  const sizes = { MODEL: model, ROWS: '8', TEST: '2', GRPO_STEPS: '1', SFT_STEPS: '1', GROUP: '2' }
  const printed = execFileSync('runs/routes-rewards.sh', [path.join(folder, 'rewards')], {
    cwd: root,
    env: { ...env, ...sizes },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  expect(printed).toMatch(
    /^best draft +0\.0 % .*\nbefore +0\.0 % .*\nsft +0\.0 % .* more than before +\d+ s\ngrpo +0\.0 % .* \d+ s\n$/,
  )
})
