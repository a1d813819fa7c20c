/**
 * How long an update of the trainer takes on a CPU: `matmul_precision` × `attn_implementation`, all weights of the small model,
 * 8 rows of made puzzles, PyTorch on one core. The trainings run in turn; the first two updates of each do not count.
 *
 *   npm run bench -- train-step
 */
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { type Metric, readMetrics } from '../src/files/training-metrics.ts'
import { printTable, saveResults, showSpread, spreadOf, widestInstructions } from './table.ts'

const { values: flags } = parseArgs({
  options: { updates: { type: 'string', default: '8' }, repeats: { type: 'string', default: '2' } },
})
const PUZZLES = {
  short: 'routes:choices=2,steps=3,wordings=1',
  long: 'routes:choices=3,steps=3,parts=3,wordings=2',
}
const WAYS = ['highest', 'medium'].flatMap((precision) =>
  ['sdpa', 'eager'].map((attention) => ({ precision, attention })),
)
interface Update {
  tokens: number
  seconds: number
}
interface Way {
  rows: string
  precision: string
  attention: string
  updates: Update[]
}
const root = path.join(import.meta.dirname, '..')
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'aft-train-step-'))
const aft = (...args: string[]) =>
  execFileSync(process.execPath, [path.join(root, 'bin/aft.js'), ...args], {
    cwd: root,
    env: { ...process.env, OMP_NUM_THREADS: '1' },
    stdio: ['ignore', 'ignore', 'inherit'],
  })

/** Trains a few updates and returns the seconds and tokens of each. */
function train(data: string, { precision, attention }: Omit<Way, 'rows' | 'updates'>, out: string): Update[] {
  const settings = [
    `max_steps=${flags.updates}`,
    `matmul_precision=${precision}`,
    `attn_implementation=${attention}`,
    'gguf=none',
  ].flatMap((setting) => ['--set', setting])
  aft('train', 'runs/routes-recipe.yaml', ...settings, '--data', data, '-o', out)
  const steps = readMetrics(path.join(out, 'metrics.jsonl')) as (Metric & Update)[]
  fs.rmSync(out, { recursive: true })
  return steps.slice(1).flatMap(({ tokens, seconds }, i) => {
    const before = steps[i] as Update
    return i === 0 ? [] : [{ tokens: tokens - before.tokens, seconds: seconds - before.seconds }]
  })
}

try {
  const results: Way[] = []
  for (const [rows, puzzles] of Object.entries(PUZZLES)) {
    const data = path.join(folder, rows)
    const size = ['--puzzles', puzzles, '--problems', '200', '--seed', '1']
    const shown = ['--proposals', '4', '--min-proposals', '1', '--keep-equal', '--no-near-duplicates']
    aft('data', 'build', '--format', 'puzzles', ...size, ...shown, '-o', data)
    const ways = WAYS.map((way) => ({ rows, ...way, updates: [] as Update[] }))
    for (let i = 0; i < Number(flags.repeats); i++)
      for (const way of ways) way.updates.push(...train(data, way, path.join(folder, 'run')))
    results.push(...ways)
  }
  const tokensOf = ({ updates }: Way) => spreadOf(updates.map(({ tokens }) => tokens)).median
  printTable(
    ['rows', 'matmul_precision', 'attn_implementation', 'tokens per update', 'seconds per update'],
    results.map((way) => [
      way.rows,
      way.precision,
      way.attention,
      tokensOf(way),
      showSpread(way.updates.map(({ seconds }) => seconds)),
    ]),
  )
  saveResults(`train-step-${widestInstructions()}`, 'npm run bench -- train-step', {
    puzzles: PUZZLES,
    results,
  })
} finally {
  fs.rmSync(folder, { recursive: true, force: true })
}
