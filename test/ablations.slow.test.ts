/** `runs/ablations.sh` from its first line to its report, with a model of two layers. A minute. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeTiny } from './tiny-model.ts'

const root = path.join(import.meta.dirname, '..')
const folder = mkdtempSync(path.join(tmpdir(), 'aft-ablations-'))
const out = path.join(folder, 'out')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

beforeAll(async () => {
  await makeTiny(path.join(folder, 'tiny'))
  writeFileSync(
    path.join(folder, 'recipe.yaml'),
    'base: ./tiny\nmethod: full\ngradient_accumulation_steps: 1\nlearning_rate: 1.0e-3\nuse_cpu: true\nseed: 1\n',
  )
})

const run = (more: Record<string, string> = {}) =>
  execFileSync('runs/ablations.sh', [out], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      ...{ RECIPE: path.join(folder, 'recipe.yaml'), DRAFTS: '2', WIDTHS: '2 3', RIGHT: '1', OWN: '0.5' },
      ...{ STEPS: '2', PROPOSER_STEPS: '2', BATCH: '2', TEST: '2', SEEDS: '2', OMP_NUM_THREADS: '1' },
      ...more,
    },
  })

test('a dry run says what it takes and leaves nothing', () => {
  expect(run({ DRY: '1' })).toContain('arms: drafts-2 right-1 own-0.5\ntrainings: 1 of 4 rows, 3 of 4 rows')
  expect(existsSync(out)).toBe(false)
})

test('every arm is trained and tested, into one report; a second start only reads', () => {
  const printed = run()
  expect(printed).toMatch(/whole: 2 questions that all have, 2 seeds/)
  for (const name of ['drafts-2-2', 'drafts-2-3', 'drafts-2-2-shuffled', 'right-1-2', 'own-0.5-2'])
    expect(printed).toContain(`${name} %`)
  const report = readFileSync(path.join(out, 'report.html'), 'utf8')
  expect(report).toContain('trained aggregator')
  const rows = readFileSync(path.join(out, 'own-0.5.jsonl'), 'utf8').trim().split('\n')
  const models = rows.map((line) => JSON.parse(line).responses.map(({ model }: { model?: string }) => model))
  for (const drafts of models) expect(drafts.filter((model: string) => model === 'guess')).toHaveLength(1)
  expect(printed.endsWith(run())).toBe(true)
})
