/**
 * The experiments on training, each into bench/results/: how expected a better answer is after drafts (perplexity), whether
 * rows with drafts are learned faster than their twins (convergence), and whether a trained aggregator picks better than a
 * vote (choosing). `runs/aggregator.sh` makes the last two; it takes its sizes from the environment. Finished
 * work is in .cache/experiments, and every experiment resumes.
 *
 *   npm run bench -- experiments [NAME…]    without names all of them
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
    out: { type: 'string', default: '.cache/experiments' },
    threads: { type: 'string', default: '1' },
  },
})
const { data, out, threads } = flags
const root = path.join(import.meta.dirname, '..')
const run = (file: string, args: string[], env = process.env) =>
  execFileSync(file, args, { cwd: root, stdio: 'inherit', env })
const read = (...names: string[]) => JSON.parse(fs.readFileSync(path.join(root, out, ...names), 'utf8'))

const experiments: Record<string, () => void> = {
  perplexity() {
    const outputs = path.join(data, 'alpaca-eval/outputs')
    run(process.execPath, [
      'bin/aft.js',
      'analyze',
      'perplexity',
      outputs,
      '--format',
      'alpaca-eval',
      '--target-file',
      path.join(outputs, 'Together-MoA.json'),
      '--max-chars',
      '3000',
      '--limit',
      '103',
      '--model',
      'smollm2-q8_0',
      '--threads',
      threads,
      '-o',
      path.join(out, 'perplexity'),
    ])
    save('perplexity', read('perplexity/result.json'))
  },
  convergence() {
    trainTwins('')
    save('convergence', read('aggregator/convergence/result.json'))
  },
  choosing() {
    trainTwins()
    save('choosing', read('aggregator/choosing.json'))
  },
}

for (const name of positionals.length > 0 ? positionals : Object.keys(experiments)) {
  const experiment = experiments[name]
  if (!experiment)
    throw new Error(`there is no experiment "${name}"; there are: ${Object.keys(experiments).join(', ')}`)
  experiment()
}

/** The environment says for which seeds aggregators are trained; the script has a default. */
function trainTwins(choosing = process.env.CHOOSING): void {
  const solutions = path.join(data, 'gsm8k/example_model_solutions.jsonl')
  const env = { ...process.env, ...(choosing !== undefined && { CHOOSING: choosing }) }
  run('runs/aggregator.sh', [solutions, path.join(out, 'aggregator')], env)
}

function save(name: string, { command, machine, date, ...result }: Record<string, unknown>): void {
  const sizes = ['SEEDS', 'STEPS', 'CHOOSING', 'COMPARE_STEPS', 'TEST', 'KINDS']
    .filter((size) => name !== 'perplexity' && process.env[size])
    .map((size) => `${size}='${process.env[size]}' `)
  const own = `${sizes.join('')}npm run bench -- experiments ${name}`
  saveResults(`experiment-${name}`, own, { ...(command ? { evaluation: command } : {}), ...result })
}
