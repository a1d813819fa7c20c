/**
 * Evaluations of the embedded model: every control on GSM8K and IFEval at two budgets, a grid of width and depth, and
 * MT-Bench with the same model as a (bad) judge. They measure answers, not speed, and resume:
 * finished answers are in .cache/evaluations.
 *
 *   npm run bench -- evaluations [NAME…] [--trained FOLDER]    without names all of them
 */
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { saveResults } from './table.ts'

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    data: { type: 'string', default: '../shared/data' },
    model: { type: 'string', default: 'smollm2' },
    trained: { type: 'string' },
    concurrency: { type: 'string', default: '12' },
    // An engine's threads spin while they wait for each other, so with several engines one thread each is best.
    threads: { type: 'string', default: '1' },
  },
})
const { data, model, trained, concurrency, threads } = flags
const root = path.join(import.meta.dirname, '..')

/** Two budgets with the same number of draft tokens: two drafts of 160, or four of 80. */
const controls = (task: string, file: string, limit: number, width: 2 | 4) => [
  'eval',
  task,
  path.join(data, file),
  '--limit',
  `${limit}`,
  '--width',
  `${width}`,
  '--depth',
  '1',
  '--max-tokens',
  `${320 / width}`,
  '--judge-max-tokens',
  '16',
  ...(trained ? ['--trained', trained] : []),
]
const ifeval = 'ifeval/input_data.jsonl'
const evaluations: Record<string, string[]> = {
  'gsm8k-2x1': controls('gsm8k', 'gsm8k/test.jsonl', 200, 2),
  'gsm8k-4x1': controls('gsm8k', 'gsm8k/test.jsonl', 200, 4),
  'ifeval-2x1': controls('ifeval', ifeval, 100, 2),
  'ifeval-4x1': controls('ifeval', ifeval, 100, 4),
  grid: [
    'analyze',
    'scaling',
    path.join(data, ifeval),
    '--task',
    'ifeval',
    '--limit',
    '40',
    '--widths',
    '2,4',
    '--depths',
    '0,1,2',
    '--max-tokens',
    '128',
  ],
  'mt-bench': [
    'eval',
    'mt-bench',
    path.join(data, 'mt-bench'),
    '--judge',
    model,
    '--width',
    '2',
    '--depth',
    '1',
    '--max-tokens',
    '160',
    '--judge-max-tokens',
    '96',
    '--ask-again',
  ],
}

for (const name of positionals.length > 0 ? positionals : Object.keys(evaluations)) {
  const args = evaluations[name]
  if (!args)
    throw new Error(`there is no evaluation "${name}"; there are: ${Object.keys(evaluations).join(', ')}`)
  const out = path.join('.cache/evaluations', name)
  const whole = [...args, '--model', model, '--concurrency', concurrency, '--threads', threads, '-o', out]
  execFileSync(process.execPath, ['bin/aft.js', ...whole], { cwd: root, stdio: 'inherit' })
  const { questions, command, machine, date, ...result } = JSON.parse(
    fs.readFileSync(path.join(root, out, 'result.json'), 'utf8'),
  )
  const own = ['npm run bench -- evaluations', name, ...(trained ? ['--trained', trained] : [])].join(' ')
  saveResults(`evaluation-${name}`, own, { evaluation: command, ...result })
}
