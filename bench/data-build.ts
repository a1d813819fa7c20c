/**
 * `aft data build` on rows in UltraFeedback's shape (64,000 are about 1 GB): rows per second and memory, from JSON lines
 * and Parquet; then the same job compared with Python's `datasets`, on a part of the rows.
 *
 *   npm run bench -- data-build --texts FOLDER     a folder of AlpacaEval output files, whose texts are used
 */
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { paperTemplate } from '../src/plans/wordings.ts'
import { installPython } from '../test/peers/python.ts'
import { runMeasured } from './processes.ts'
import { printTable, saveResults, showSpread, spreadOf } from './table.ts'
import { writeRows } from './ultrafeedback-rows.ts'

const { values: flags } = parseArgs({
  options: {
    texts: { type: 'string', default: '../shared/data/alpaca-eval/outputs' },
    rows: { type: 'string', default: '64000' },
    'part-rows': { type: 'string', default: '8000' },
    repeats: { type: 'string', default: '3' },
  },
})
const root = path.join(import.meta.dirname, '..')
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'aft-data-build-'))
const file = (name: string) => path.join(folder, name)
const python = installPython(['datasets==5.2.0', 'pyarrow==26.0.1'])
const peer = path.join(root, 'bench/data-build-peer.py')

interface Run {
  job: string
  rows: number
  seconds: number
  cpuMs: number
  peakBytes: number
}

/** Runs one build in its own process; the start counts. */
async function build(job: string, source: string, rows: number, args: string[]): Promise<Run> {
  const command = ['data', 'build', source, '--format', 'ultrafeedback', '--target', 'best']
  const { seconds, cpuMs, peakBytes } = await runMeasured([...command, '-o', file('built'), ...args])
  fs.rmSync(file('built'), { recursive: true })
  return { job, rows, seconds, cpuMs, peakBytes }
}

/** Runs the peer, which must write the same number of examples with the same fields. */
function buildByPeer(source: string, rows: number, processes: number): number {
  const out = fs.mkdtempSync(file('peer-'))
  const start = performance.now()
  const written = execFileSync(
    python,
    [peer, 'build', source, out, String(processes), paperTemplate.aggregatorSystem],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
  )
  const seconds = (performance.now() - start) / 1000
  const [first = ''] = fs.readFileSync(path.join(out, 'train.jsonl'), 'utf8').split('\n', 1)
  const fields = Object.keys(JSON.parse(first)).sort().join(' ')
  if (fields !== 'completion id prompt proposals source template') throw new Error(`the peer wrote ${fields}`)
  if (Number(written) !== rows) throw new Error(`the peer wrote ${written} examples of ${rows} rows`)
  fs.rmSync(out, { recursive: true })
  return seconds
}

const FAST = ['--no-near-duplicates']
const ALL = ['--max-example-tokens', '4096', '--tokenizer', 'smollm2']
const ALONE = ['--no-near-duplicates', '--decontaminate', 'none']
try {
  const rows = Number(flags.rows)
  const all = file('all.jsonl')
  const bytes = writeRows(all, rows, flags.texts)
  const runs: Run[] = [
    await build('JSON lines, no near-duplicate search', all, rows, FAST),
    await build('JSON lines, near-duplicate search', all, rows, []),
    await build('JSON lines, a quarter of them', takePart(all, 'quarter.jsonl', rows / 4), rows / 4, FAST),
    await build('JSON lines, near-duplicate search and token budget', all, rows, ALL),
  ]
  for (const codec of ['snappy', 'zstd', 'gzip']) {
    const parquet = file(`${codec}.parquet`)
    execFileSync(python, [peer, 'parquet', all, parquet, codec])
    runs.push(await build(`Parquet, ${codec}, no near-duplicate search`, parquet, rows, FAST))
    fs.rmSync(parquet)
  }
  printTable(
    ['job', 'rows', 'seconds', 'rows/s', 'CPU s', 'peak MB'],
    runs.map(({ job, rows, seconds, cpuMs, peakBytes }) => [
      job,
      rows,
      seconds.toFixed(1),
      (rows / seconds).toFixed(0),
      (cpuMs / 1000).toFixed(1),
      (peakBytes / 1e6).toFixed(0),
    ]),
  )
  const partRows = Number(flags['part-rows'])
  const part = takePart(all, 'part.jsonl', partRows)
  const tiny = takePart(all, 'tiny.jsonl', 32)
  const times = { own: [], ownStart: [], alone: [], two: [], peerStart: [] } as Record<string, number[]>
  for (let i = 0; i < Number(flags.repeats); i++) {
    times.own?.push((await build('part', part, partRows, ALONE)).seconds)
    times.alone?.push(buildByPeer(part, partRows, 1))
    times.two?.push(buildByPeer(part, partRows, 2))
    times.ownStart?.push((await build('tiny', tiny, 32, ALONE)).seconds)
    times.peerStart?.push(buildByPeer(tiny, 32, 1))
  }
  const { own = [], ownStart = [], alone = [], two = [], peerStart = [] } = times
  const peers = spreadOf(alone).median < spreadOf(two).median ? alone : two
  const ratio = peers.map((seconds, i) => seconds / (own[i] as number))
  const median = (seconds: number[]) => spreadOf(seconds).median
  const withoutStart = (median(peers) - median(peerStart)) / (median(own) - median(ownStart))
  printTable(
    [`${partRows} rows, no decontamination`, 'seconds', 'of them on 32 rows'],
    [
      ['aft data build', showSpread(own), showSpread(ownStart)],
      ['Python datasets, 1 process', showSpread(alone), showSpread(peerStart)],
      ['Python datasets, 2 processes', showSpread(two), ''],
    ],
  )
  console.log(
    `times as fast as the better: ${showSpread(ratio)}; without start-up ${withoutStart.toFixed(2)}`,
  )
  saveResults('data-build', ['npm run bench -- data-build', ...process.argv.slice(2)].join(' '), {
    rows,
    bytes,
    runs,
    part: { rows: partRows, ...times, peers, ratio: spreadOf(ratio), withoutStart },
  })
} finally {
  fs.rmSync(folder, { recursive: true, force: true })
}

/** The first rows of a file. */
function takePart(from: string, name: string, rows: number): string {
  execFileSync('sh', ['-c', `head -n ${rows} "$0" > "$1"`, from, file(name)])
  return file(name)
}
