/**
 * `aft data build` on rows in UltraFeedback's shape (64,000 are about 1 GB): rows a second and memory, from JSON lines
 * and Parquet; then the same job beside Python's `datasets` on a part of the rows.
 *
 *   npm run bench -- data-build --texts FOLDER     a folder of AlpacaEval output files, whose texts are used
 */
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { installPython } from '../test/peers/python.ts'
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

/** One build in a process of its own, its start included. */
function build(job: string, source: string, rows: number, args: string[]): Run {
  const command = ['bench/measured-cli.ts', 'data', 'build', source, '--format', 'ultrafeedback']
  const out = ['--target', 'best', '-o', file('built')]
  const start = performance.now()
  const output = execFileSync(process.execPath, [...command, ...out, ...args], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const seconds = (performance.now() - start) / 1000
  fs.rmSync(file('built'), { recursive: true })
  return { job, rows, seconds, ...(JSON.parse(output) as { cpuMs: number; peakBytes: number }) }
}

function buildByPeer(source: string): number {
  const out = fs.mkdtempSync(file('peer-'))
  const start = performance.now()
  execFileSync(python, [peer, 'build', source, out, '2'], { stdio: ['ignore', 'ignore', 'ignore'] })
  const seconds = (performance.now() - start) / 1000
  fs.rmSync(out, { recursive: true })
  return seconds
}

const FAST = ['--no-near-duplicates']
const ALL = ['--max-tokens', '4096', '--tokenizer', 'smollm2']
const ALONE = ['--no-near-duplicates', '--decontaminate', 'none']
try {
  const rows = Number(flags.rows)
  const all = file('all.jsonl')
  const bytes = writeRows(all, rows, flags.texts)
  const runs: Run[] = [
    build('JSON lines, no near-duplicate search', all, rows, FAST),
    build('JSON lines, near-duplicate search', all, rows, []),
    build('JSON lines, a quarter of them', takePart(all, 'quarter.jsonl', rows / 4), rows / 4, FAST),
    build('JSON lines, near-duplicate search and token budget', all, rows, ALL),
  ]
  for (const codec of ['snappy', 'zstd', 'gzip']) {
    const parquet = file(`${codec}.parquet`)
    execFileSync(python, [peer, 'parquet', all, parquet, codec])
    runs.push(build(`Parquet, ${codec}, no near-duplicate search`, parquet, rows, FAST))
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
  const own: number[] = []
  const peers: number[] = []
  for (let i = 0; i < Number(flags.repeats); i++) {
    own.push(build('part', part, partRows, ALONE).seconds)
    peers.push(buildByPeer(part))
  }
  const ratio = peers.map((seconds, i) => seconds / (own[i] as number))
  printTable(
    [`${partRows} rows, no decontamination`, 'seconds', 'times as fast'],
    [
      ['aft data build', showSpread(own), showSpread(ratio)],
      ['Python datasets, 2 processes', showSpread(peers), '1'],
    ],
  )
  saveResults('data-build', ['npm run bench -- data-build', ...process.argv.slice(2)].join(' '), {
    ...{ rows, bytes, runs, part: { rows: partRows, own, peers, ratio: spreadOf(ratio) } },
  })
} finally {
  fs.rmSync(folder, { recursive: true, force: true })
}

/** The first rows of a file. */
function takePart(from: string, name: string, rows: number): string {
  execFileSync('sh', ['-c', `head -n ${rows} "$0" > "$1"`, from, file(name)])
  return file(name)
}
