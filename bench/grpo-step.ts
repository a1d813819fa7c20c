/**
 * How long an update of GRPO takes on a CPU with TRL's own trainer and with ours, which reads each prompt once for the answers of
 * its group: LoRA on the small model, made puzzles with four drafts, four groups an update, PyTorch on one core. Both draw the
 * same answers. What the two log at each update stands beside the times.
 *
 *   npm run bench -- grpo-step
 */
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { resolveModel } from '../src/engines/models/models.ts'
import { prepareBase } from '../src/train/base.ts'
import { findEnvironment, setUpEnvironment } from '../src/train/environment.ts'
import { printTable, saveResults, showSpread, spreadOf, widestInstructions } from './table.ts'

const { values: flags } = parseArgs({
  options: { updates: { type: 'string', default: '3' }, group: { type: 'string', default: '8' } },
})
const PUZZLES = 'routes:choices=3,steps=3,parts=2,wordings=1-3'
const root = path.join(import.meta.dirname, '..')
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'aft-grpo-step-'))
const group = Number(flags.group)
const config = {
  max_steps: Number(flags.updates),
  num_generations: group,
  per_device_train_batch_size: group,
  gradient_accumulation_steps: 4,
  max_completion_length: 64,
  seed: 1,
  model_init_kwargs: { attn_implementation: 'sdpa', dtype: 'float32' },
}

type Update = Record<'loss' | 'grad_norm' | 'num_tokens' | 'seconds', number>

try {
  await setUpEnvironment()
  const { python } = findEnvironment()
  const signal = new AbortController().signal
  const { model } = await prepareBase('smollm2', { python, findGguf: resolveModel, signal, onLine: () => {} })
  const data = path.join(folder, 'data')
  const made = ['--format', 'puzzles', '--puzzles', PUZZLES, '--problems', '40', '--seed', '1']
  const shown = ['--proposals', '4', '--min-proposals', '1', '--keep-equal', '--no-near-duplicates']
  const stdio: ('ignore' | 'inherit')[] = ['ignore', 'ignore', 'inherit']
  execFileSync(
    process.execPath,
    [path.join(root, 'bin/aft.js'), 'data', 'build', ...made, ...shown, '-o', data],
    {
      stdio,
    },
  )
  const script = path.join(import.meta.dirname, 'grpo-peer.py')
  const args = [script, model, data, 'lines', path.join(folder, 'out'), JSON.stringify(config)]
  const output = execFileSync(python, args, {
    encoding: 'utf8',
    env: { ...process.env, OMP_NUM_THREADS: '1', HF_HUB_OFFLINE: '1' },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const results: { trl: Update[]; shared: Update[] } = JSON.parse(output.trim().split('\n').at(-1) ?? '')
  const secondsOf = (updates: Update[]) => updates.map(({ seconds }) => seconds)
  const usual = spreadOf(secondsOf(results.trl)).median
  printTable(
    ['trainer', 'tokens per update', 'seconds per update', 'time beside TRL', 'gradient norms'],
    Object.entries(results).map(([name, updates]) => [
      name,
      (updates.at(-1)?.num_tokens ?? 0) / updates.length,
      showSpread(secondsOf(updates)),
      (spreadOf(secondsOf(updates)).median / usual).toFixed(2),
      updates.map(({ grad_norm }) => grad_norm.toPrecision(5)).join(', '),
    ]),
  )
  saveResults(`grpo-step-${widestInstructions()}`, 'npm run bench -- grpo-step', {
    puzzles: PUZZLES,
    config,
    results,
  })
} finally {
  fs.rmSync(folder, { recursive: true, force: true })
}
