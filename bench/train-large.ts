/**
 * Training on one large file of rows: builds a `train.jsonl` of at least 600 MB, trains a model of two layers on it for a
 * few updates, and goes to the very end (card, loss curves, GGUF, export). V8 cannot hold such a file as one text.
 * Prints time and peak memory of each command: Node's own, and the largest of the trainer's processes, whose memory
 * includes pages of files that it maps. PyTorch uses one core. Every row is tokenized,
 * so it takes long; it needs 4 GB of disk.
 *
 *   npm run bench -- train-large
 *   npm run bench -- train-large --megabytes 20      a quick try
 */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { hashParts, randomFrom } from '../src/lib/random.ts'
import { makeTiny } from '../test/tiny-model.ts'
import { runMeasured } from './processes.ts'
import { printTable, saveResults } from './table.ts'

const { values: flags } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '640' },
    steps: { type: 'string', default: '3' },
  },
})
process.env.OMP_NUM_THREADS ??= '1'
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'aft-train-large-'))
const at = (name: string) => path.join(folder, name)

/** Long words that are one token each: more bytes for the same work. */
const vocabulary = (
  'administration application architecture association characteristics circumstances communication communities ' +
  'competition concentration conditions consequences consideration construction contemporary contributions ' +
  'corresponding description determination development differences distribution educational environmental ' +
  'establishment experimental explanation government governments identification immediately implementation ' +
  'independence individuals information infrastructure international interpretation introduction investigation ' +
  'manufacturing mathematical measurements opportunities organization organizations participants particularly ' +
  'performance perspective possibility professional psychological recommendations relationship relationships ' +
  'representation requirements responsibility significant significantly specifically technology temperature ' +
  'traditional transformation transportation understanding unfortunately university'
).split(' ')

/** A row of about 20,000 characters and 1,500 tokens: a question, three answers and a target. */
function makeRow(i: number): string {
  const random = randomFrom(hashParts('long row', i))
  const say = (count: number) =>
    Array.from({ length: count }, () => vocabulary[Math.floor(random() * vocabulary.length)]).join(' ')
  const responses = Array.from({ length: 3 }, (_, k) => ({ text: say(380), model: `model-${k}` }))
  return JSON.stringify({ id: `row-${i}`, prompt: say(60), responses, target: say(180) })
}

/** Writes rows until there are so many bytes; returns how many rows. */
function writeRows(file: string, bytes: number): number {
  const fd = fs.openSync(file, 'w')
  let [rows, written] = [0, 0]
  while (written < bytes) written += fs.writeSync(fd, `${makeRow(rows++)}\n`)
  fs.closeSync(fd)
  return rows
}

/** Peak memory of each process below this one, by its id, as long as it lives. */
function watchBelow(top: number, peaks: Map<number, number>): void {
  const childrenOf = (pid: number): number[] => {
    try {
      return fs
        .readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
        .split(' ')
        .filter(Boolean)
        .map(Number)
    } catch {
      return []
    }
  }
  const visit = (pid: number): void => {
    for (const child of childrenOf(pid)) {
      try {
        const peak = /VmHWM:\s+(\d+)/.exec(fs.readFileSync(`/proc/${child}/status`, 'utf8'))?.[1]
        peaks.set(child, Math.max(peaks.get(child) ?? 0, Number(peak ?? 0) * 1024))
      } catch {
        // it has ended
      }
      visit(child)
    }
  }
  visit(top)
}

interface Run {
  job: string
  seconds: number
  nodePeakBytes: number
  /** The largest process that the command started; 0 if it starts none. */
  childPeakBytes: number
}

async function measure(job: string, args: string[]): Promise<Run> {
  const peaks = new Map<number, number>()
  let timer: NodeJS.Timeout | undefined
  const { seconds, peakBytes } = await runMeasured(args, {
    onStart: (pid) => {
      timer = setInterval(() => watchBelow(pid, peaks), 200)
    },
  }).finally(() => clearInterval(timer))
  const run = { job, seconds, nodePeakBytes: peakBytes, childPeakBytes: Math.max(0, ...peaks.values()) }
  console.error(JSON.stringify(run))
  return run
}

try {
  await makeTiny(at('tiny'))
  const rows = writeRows(at('rows.jsonl'), Number(flags.megabytes) * 1e6)
  const build = [
    'data',
    'build',
    at('rows.jsonl'),
    '-o',
    at('data'),
    '--shard-size',
    '4GB',
    '--validation',
    '0',
  ]
  const runs = [await measure('data build', [...build, '--no-near-duplicates'])]
  fs.rmSync(at('rows.jsonl'))
  const recipe = {
    base: './tiny',
    method: 'full',
    gguf: 'f16',
    max_steps: Number(flags.steps),
    max_length: 2048,
  }
  fs.writeFileSync(
    at('tiny.yaml'),
    JSON.stringify({ ...recipe, gradient_accumulation_steps: 2, save_steps: 2, use_cpu: true }),
  )
  const out = at('tuned')
  runs.push(await measure('train', ['train', at('tiny.yaml'), '--data', at('data'), '-o', out]))
  runs.push(await measure('train, again', ['train', at('tiny.yaml'), '--data', at('data'), '-o', out]))
  runs.push(await measure('train export', ['train', 'export', out, '-o', at('merged')]))
  const made = ['tuned/README.md', 'tuned/loss.svg', 'tuned/model.gguf', 'merged/model.safetensors']
  for (const file of made) if (!fs.existsSync(at(file))) throw new Error(`${file} is missing`)
  const bytes = fs.statSync(at('data/train.jsonl')).size
  const card = fs.readFileSync(at('tuned/README.md'), 'utf8').split('\n')
  const preflight = JSON.parse(fs.readFileSync(at('tuned/preflight.json'), 'utf8'))
  printTable(
    ['command', 'seconds', 'Node peak MB', 'largest child MB'],
    runs.map((run) => [
      run.job,
      run.seconds.toFixed(0),
      (run.nodePeakBytes / 1e6).toFixed(0),
      (run.childPeakBytes / 1e6).toFixed(0),
    ]),
  )
  console.log(`train.jsonl: ${bytes} bytes, ${preflight.rows} rows, ${preflight.tokens} tokens`)
  saveResults('train-large', ['npm run bench -- train-large', ...process.argv.slice(2)].join(' '), {
    trainBytes: bytes,
    rowsMade: rows,
    rows: preflight.rows,
    tokens: preflight.tokens,
    longest: preflight.longest,
    runs,
    card: card.filter((line) => line.startsWith('|')),
    made,
  })
} finally {
  fs.rmSync(folder, { recursive: true, force: true })
}
