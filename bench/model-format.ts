/**
 * The default model as Q4_1 (published) and as Q8_0 (made from it): what is lost, and what is gained.
 * Loss is measured against the same weights as F32, so that each format's own arithmetic counts; `--text` is any JSON
 * array of rows with `instruction` and `output`. Speed is measured with the kernels that this CPU loads, and with
 * those of other CPUs that it can run (`--cpu haswell,icelake`).
 *
 *   npm run bench -- model-format --text FILE.json --rows 4 --cpu icelake,haswell
 */
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { parseArgs } from 'node:util'
import { resolveModel } from '../src/engines/models/models.ts'
import { type BlockFormat, numberToHalf, q80, transcode } from '../src/engines/models/transcode.ts'
import { compareReadings, type Reading, type Row, readWith } from './model-format-loss.ts'
import type { OwnLimit } from './own-limit.ts'
import { printTable, saveResults } from './table.ts'

const { values: flags } = parseArgs({
  allowNegative: true,
  options: {
    text: { type: 'string' },
    rows: { type: 'string', default: '16' },
    cpu: { type: 'string', default: '' },
    speed: { type: 'boolean', default: true },
    repeats: { type: 'string', default: '2' },
    threads: { type: 'string', default: '2' },
    name: { type: 'string', default: 'model-format' },
  },
})

const f32: BlockFormat = {
  type: 0,
  fileType: 0,
  bytes: 128,
  write: eachWeight((value, target, at, i) => target.writeFloatLE(value, at + 4 * i)),
}
const f16: BlockFormat = {
  type: 1,
  fileType: 1,
  bytes: 64,
  write: eachWeight((value, target, at, i) => target.writeUInt16LE(numberToHalf(value), at + 2 * i)),
}
/** Q8_0 as llama.cpp's own quantizer makes it: the largest weight of a block at 127. */
const q80Usual: BlockFormat = {
  ...q80,
  write({ least, step, nibbles }, target, at) {
    const values = weightsOf(least, step, nibbles)
    const scale = Math.max(...values.map(Math.abs)) / 127
    target.writeUInt16LE(numberToHalf(scale), at)
    for (const [i, value] of values.entries())
      target.writeInt8(scale && Math.round(value / scale), at + 2 + i)
  },
}

function weightsOf(least: number, step: number, nibbles: Uint8Array): number[] {
  const low = Array.from(nibbles, (pair) => least + step * (pair & 15))
  return [...low, ...Array.from(nibbles, (pair) => least + step * (pair >> 4))]
}

function eachWeight(
  put: (value: number, target: Buffer, at: number, i: number) => void,
): BlockFormat['write'] {
  return ({ least, step, nibbles }, target, at) => {
    for (const [i, value] of weightsOf(least, step, nibbles).entries()) put(value, target, at, i)
  }
}

/** The library's binaries with the kernels of one kind of CPU only, such as `haswell` or `icelake`. */
function copyBinaries(cpu: string, folder: string): string {
  const installed = path.join(import.meta.dirname, '../node_modules/@node-llama-cpp/linux-x64')
  const copy = path.join(folder, cpu)
  fs.cpSync(installed, copy, { recursive: true })
  for (const name of fs.globSync('bins/*/libggml-cpu-*.so', { cwd: copy })) {
    if (!name.endsWith(`-${cpu}.so`)) fs.rmSync(path.join(copy, name))
  }
  return copy
}

function measureSpeeds(files: Record<string, string>, folder: string) {
  const cpus = [undefined, ...(flags.cpu ? flags.cpu.split(',') : [])]
  return cpus.flatMap((cpu) => {
    const binaries = cpu ? [copyBinaries(cpu, folder)] : []
    return Object.entries(files).map(([format, file]) => {
      const args = [
        path.join(import.meta.dirname, 'model-format-speed.ts'),
        file,
        flags.threads,
        flags.repeats,
      ]
      const output = execFileSync(process.execPath, [...args, ...binaries], {
        encoding: 'utf8',
        timeout: 300_000,
      })
      return { kernels: cpu ?? 'this CPU', format, ...(JSON.parse(output) as OwnLimit) }
    })
  })
}

async function measureLosses(files: Record<string, string>, rows: Row[]) {
  const threads = Number(flags.threads)
  const read = (format: string, batchSize?: number) =>
    readWith(files[format] as string, rows, { threads, batchSize, reference })
  let reference: Reading | undefined
  reference = await read('F32')
  const q41 = await read('Q4_1')
  const q80 = await read('Q8_0')
  const pairs: [string, Reading, string, Reading][] = [
    ['F32', reference, 'F32', reference],
    ['Q4_1', q41, 'F32', reference],
    ['Q4_1, 8 at once', await read('Q4_1', 8), 'F32', reference],
    ['Q8_0, usual scale', await read('Q8_0, usual scale'), 'F32', reference],
    ['Q8_0', q80, 'F32', reference],
    ['Q8_0', q80, 'Q4_1', q41],
    ['Q4_1, 1 at once', await read('Q4_1', 1), 'Q4_1', q41],
  ]
  return pairs.map(([format, reading, beside, other]) => ({
    format,
    beside,
    tokens: reading.places.length,
    ...compareReadings(reading, other),
  }))
}

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'aft-model-format-'))
try {
  const { file: q41 } = await resolveModel('smollm2-q4_1')
  const made = { F32: f32, F16: f16, 'Q8_0, usual scale': q80Usual, Q8_0: q80 }
  const files: Record<string, string> = { Q4_1: q41 }
  for (const [name, format] of Object.entries(made)) {
    files[name] = path.join(folder, `${name}.gguf`)
    await pipeline(transcode(q41, format), fs.createWriteStream(files[name]))
  }
  const { Q4_1, Q8_0, F16 } = files as Record<'Q4_1' | 'Q8_0' | 'F16', string>
  const speeds = flags.speed ? measureSpeeds({ Q4_1, Q8_0, F16 }, folder) : []
  const rows: Row[] = flags.text ? JSON.parse(fs.readFileSync(flags.text, 'utf8')) : []
  const every = Math.max(1, Math.floor(rows.length / Number(flags.rows)))
  const chosen = rows.filter((_, i) => i % every === 0).slice(0, Number(flags.rows))
  const losses = chosen.length ? await measureLosses(files, chosen) : []
  printTable(
    ['format', 'beside', 'tokens', 'perplexity', 'KL, nats', 'KL, 99th %', 'same token', 'same greedy'],
    losses.map((loss) => [
      loss.format,
      loss.beside,
      loss.tokens,
      loss.perplexity.toFixed(3),
      loss.divergence.mean.toFixed(5),
      loss.divergence.p99.toFixed(4),
      `${loss.sameToken.toFixed(1)} %`,
      `${loss.sameGreedy.toFixed(0)} %`,
    ]),
  )
  printTable(
    ['kernels', 'format', 'prefill tok/s', 'decode at 1', 'at 5', 'at 8', 'at 24'],
    speeds.map(({ kernels, format, prefillTokensPerSecond, decode }) => [
      kernels,
      format,
      prefillTokensPerSecond.toFixed(0),
      ...decode.map(({ tokensPerSecond }) => tokensPerSecond.toFixed(0)),
    ]),
  )
  saveResults(flags.name, ['npm run bench -- model-format', ...process.argv.slice(2)].join(' '), {
    losses,
    speeds,
  })
} finally {
  fs.rmSync(folder, { recursive: true, force: true })
}
