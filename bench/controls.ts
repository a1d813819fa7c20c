/**
 * `aft eval gsm8k` on a real model: the controls' table at one budget. Its results stay under .cache, so that the bench goes
 * on where it was; the figures are about answers, not about speed.
 *
 *   npm run bench -- controls --questions FILE     GSM8K's test.jsonl
 */
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { printTable, saveResults } from './table.ts'

const { values: flags } = parseArgs({
  options: {
    questions: { type: 'string', default: '../shared/data/gsm8k/test.jsonl' },
    model: { type: 'string', default: 'smollm2' },
    limit: { type: 'string', default: '200' },
    width: { type: 'string', default: '5' },
    depth: { type: 'string', default: '1' },
    'max-tokens': { type: 'string', default: '256' },
    concurrency: { type: 'string', default: '6' },
  },
})
const root = path.join(import.meta.dirname, '..')
const { questions, model, width, depth, limit, concurrency, 'max-tokens': maxTokens } = flags
const name = `controls-gsm8k-${model.replace(/\W+/g, '-')}-${width}x${depth}-${maxTokens}`
const out = path.join(root, '.cache', name)
const budget = ['--width', width, '--depth', depth, '--max-tokens', maxTokens, '--limit', limit]
const args = [
  'eval',
  'gsm8k',
  questions,
  '--model',
  model,
  ...budget,
  '--concurrency',
  concurrency,
  '-o',
  out,
]
execFileSync(process.execPath, ['bin/aft.js', ...args], { cwd: root, stdio: 'inherit' })

interface Row {
  title: string
  scores: Record<string, { mean: number; interval: { low: number; high: number } }>
  calls: number
  generated_tokens: number
  mean_length_chars: number
}
const { rows, changes, n, agreement, settings, judge_position } = JSON.parse(
  fs.readFileSync(path.join(out, 'result.json'), 'utf8'),
)
const percent = (share: number) => (100 * share).toFixed(1)
printTable(
  ['control', 'flexible', 'strict', 'calls', 'written tokens', 'characters'],
  (rows as Row[]).map((row) => [
    row.title,
    ...['flexible', 'strict'].map((metric) => percent(row.scores[metric]?.mean ?? 0)),
    ...[row.calls, row.generated_tokens, row.mean_length_chars].map((value) => value.toFixed(1)),
  ]),
)
const command = ['npm run bench -- controls', ...process.argv.slice(2)].join(' ')
saveResults(name, command, { model, n, settings, agreement, judge_position, rows, changes })
