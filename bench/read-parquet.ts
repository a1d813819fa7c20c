/**
 * What reading Parquet takes: rows in UltraFeedback's shape, nested, flat and few, read to their end, and built into a data
 * set. All processes count. With `beside`, compared with an earlier checkout.
 *
 *   npm run bench -- read-parquet --rows 8000
 */
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { zstdCompressSync } from 'node:zlib'
import { parquetWriteFile } from 'hyparquet-writer'
import { readParquet } from '../src/files/rows/read-parquet.ts'
import { printTable, saveResults, showSpread } from './table.ts'
import { writeRows } from './ultrafeedback-rows.ts'

const { values: flags } = parseArgs({
  options: {
    texts: { type: 'string', default: '../shared/data/alpaca-eval/outputs' },
    rows: { type: 'string', default: '8000' },
    repeats: { type: 'string', default: '3' },
    read: { type: 'string' },
  },
})

/** Each row is used as a row of a build would be: it is written once. */
async function read(file: string): Promise<void> {
  let bytes = 0
  for await (const { value } of readParquet(file)) bytes += JSON.stringify(value).length
  console.log(bytes)
  // A process that has ended is counted once it was waited for.
  await new Promise((resolve) => setTimeout(resolve, 100))
}

function compare(): void {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'aft-read-parquet-'))
  try {
    writeFiles(folder)
    const at = (name: string) => path.join(folder, name)
    const build = [
      'bin/aft.js',
      'data',
      'build',
      at('nested'),
      '--format',
      'ultrafeedback',
      '--target',
      'best',
    ]
    const jobs = {
      nested: ['bench/read-parquet.ts', '--read', at('nested')],
      flat: ['bench/read-parquet.ts', '--read', at('flat')],
      small: ['bench/read-parquet.ts', '--read', at('small')],
      build: [...build, '--no-near-duplicates', '--restart', '-o', at('built')],
    }
    const figures = Object.entries(jobs).map(([name, args]) => {
      const runs = Array.from({ length: Number(flags.repeats) }, () => measure(args))
      return { name, seconds: runs.map(({ seconds }) => seconds), cpuS: runs.map(({ cpuS }) => cpuS) }
    })
    printTable(
      ['file', 'seconds', 'CPU seconds'],
      figures.map(({ name, seconds, cpuS }) => [name, showSpread(seconds), showSpread(cpuS)]),
    )
    saveResults(
      'read-parquet',
      'npm run bench -- read-parquet',
      Object.fromEntries(figures.map((one) => [one.name, one])),
    )
  } finally {
    fs.rmSync(folder, { recursive: true })
  }
}

function measure(args: string[]): { seconds: number; cpuS: number } {
  const words = args.map((word) => `'${word}'`).join(' ')
  const script = `TIMEFORMAT='%R %U %S'; time '${process.execPath}' ${words} >/dev/null 2>&1 || exit 1`
  const root = path.join(import.meta.dirname, '..')
  const said = execFileSync('bash', ['-c', `{ ${script}; } 2>&1`], { cwd: root, encoding: 'utf8' })
  const [seconds = 0, user = 0, system = 0] = said.trim().split(' ').map(Number)
  return { seconds, cpuS: user + system }
}

const text = (name: string) => ({
  name,
  type: 'BYTE_ARRAY',
  converted_type: 'UTF8',
  repetition_type: 'OPTIONAL',
})
const group = (name: string, children: number, more: object = {}) => ({
  name,
  num_children: children,
  repetition_type: 'OPTIONAL',
  ...more,
})
const list = (name: string) => [
  group(name, 1, { converted_type: 'LIST' }),
  group('list', 1, { repetition_type: 'REPEATED' }),
]
const rating = (name: string) => [group(name, 2), text('Rating'), text('Rationale')]
const schema = [
  { name: 'root', num_children: 3 },
  text('instruction'),
  ...list('models'),
  text('element'),
  ...list('completions'),
  group('element', 4),
  group('annotations', 2),
  ...rating('helpfulness'),
  ...rating('honesty'),
  text('model'),
  text('response'),
  text('critique'),
]

type Row = Record<string, unknown> & { completions: Record<string, unknown>[] }

function writeFiles(folder: string): void {
  const lines = path.join(folder, 'rows.jsonl')
  writeRows(lines, Number(flags.rows), flags.texts)
  const rows: Row[] = fs
    .readFileSync(lines, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  const compressors = { ZSTD: (bytes: Uint8Array) => zstdCompressSync(bytes) }
  const write = (name: string, rowGroupSize: number, more: object) =>
    parquetWriteFile({
      filename: path.join(folder, name),
      codec: 'ZSTD',
      compressors,
      rowGroupSize,
      ...more,
    } as never)
  const columns = (names: string[], of: Record<string, unknown>[]) =>
    names.map((name) => ({ name, data: of.map((row) => row[name]), type: 'STRING' }))
  const nested = columns(['instruction', 'models', 'completions'], rows).map(({ name, data }) => ({
    name,
    data,
  }))
  write('nested', 1_000, { schema, columnData: nested })
  const answers = rows.flatMap(({ completions }) => completions)
  write('flat', 10_000, { columnData: columns(['response', 'critique', 'model'], answers) })
  write('small', 1_000, { columnData: columns(['response', 'critique', 'model'], answers.slice(0, 100)) })
}

if (flags.read) await read(flags.read)
else compare()
