/**
 * Reading and writing by the format of the weights, one thread, in time of the processor (the least of the repetitions): the default
 * model as published, and made again from that. Only Q8_0, F16, BF16 and F32 keep what Q4_1 says; `model-format` measures the loss.
 *
 *   npm run bench -- weight-formats
 */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { parseArgs } from 'node:util'
import { resolveModel } from '../src/engines/models/models.ts'
import {
  type BlockFormat,
  halfToNumber,
  numberToHalf,
  q80,
  transcode,
} from '../src/engines/models/transcode.ts'
import { openLibrary } from '../test/native-library.ts'
import { nativeOf, readPrompt, timeCpu, writeTokens } from './native-passes.ts'
import { printTable, saveResults, widestInstructions } from './table.ts'

const { values: flags } = parseArgs({
  options: {
    formats: { type: 'string', default: 'Q4_1,Q8_0,BF16,F16,Q4_0,IQ4_NL' },
    repeats: { type: 'string', default: '5' },
  },
})
const SEQUENCES = [1, 2, 5, 8, 24]
const PROMPT = 128
const CHUNK = 64

type Block = Parameters<BlockFormat['write']>[0]
const weightsOf = ({ least, step, nibbles }: Block) => [
  ...Array.from(nibbles, (pair) => least + step * (pair & 15)),
  ...Array.from(nibbles, (pair) => least + step * (pair >> 4)),
]
const single = new Float32Array(1)
const bits = new Uint32Array(single.buffer)
function toBrainFloat(value: number): number {
  single[0] = value
  const whole = bits[0] as number
  return ((whole + 0x7fff + ((whole >>> 16) & 1)) >>> 16) & 0xffff
}
const halves = (type: number, fileType: number, toHalf: (value: number) => number): BlockFormat => ({
  type,
  fileType,
  bytes: 64,
  write: (block, target, at) => {
    for (const [i, value] of weightsOf(block).entries()) target.writeUInt16LE(toHalf(value), at + 2 * i)
  },
})
/** Four bits per weight: the nearest of 16 values, times a scale that puts the largest weight at `end`. */
const fourBits = (type: number, fileType: number, values: number[], end: number): BlockFormat => ({
  type,
  fileType,
  bytes: 18,
  write: (block, target, at) => {
    const weights = weightsOf(block)
    const largest = weights.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a))
    const half = numberToHalf(largest / end)
    target.writeUInt16LE(half, at)
    const scale = halfToNumber(half) || 1
    const nearest = (weight: number) => {
      const errors = values.map((value) => Math.abs(value - weight / scale))
      return errors.indexOf(Math.min(...errors))
    }
    for (let i = 0; i < 16; i++)
      target[at + 2 + i] = nearest(weights[i] as number) | (nearest(weights[i + 16] as number) << 4)
  },
})
const even = Array.from({ length: 16 }, (_, k) => k - 8)
/** ggml's table of IQ4_NL. */
const uneven = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113]
const formats: Record<string, BlockFormat> = {
  Q8_0: q80,
  F16: halves(1, 1, numberToHalf),
  BF16: halves(30, 32, toBrainFloat),
  Q4_0: fourBits(2, 2, even, -8),
  IQ4_NL: fourBits(20, 25, uneven, -127),
}
/** The least processor time of `work` in milliseconds. `prepare` does not count. */
async function least(work: (i: number) => Promise<void>, prepare = async () => {}): Promise<number> {
  let ms = Number.POSITIVE_INFINITY
  for (let i = 0; i < Number(flags.repeats); i++) {
    await prepare()
    ms = Math.min(ms, await timeCpu(() => work(i)))
  }
  return ms
}

async function measure(file: string) {
  const model = await llama.loadModel({ modelPath: file })
  const context = await model.createContext({ sequences: 24, contextSize: 512, batchSize: 256, threads: 1 })
  const native = nativeOf(context)
  const empty = async () => void native.removeTokenCellsFromSequence(0, -1, -1)
  const readMs = await least(() => readPrompt(native, PROMPT, CHUNK), empty)
  const passes = []
  for (let to = 1; to < 24; to++) await native.copySequenceStateFromOtherSequence(to, 0)
  for (const sequences of SEQUENCES) {
    const ms = await least((i) => writeTokens(native, sequences, PROMPT + i))
    for (let sequence = 0; sequence < 24; sequence++)
      native.removeTokenCellsFromSequence(sequence, PROMPT, -1)
    passes.push({ sequences, ms })
  }
  await model.dispose()
  return { read: (1000 * PROMPT) / readMs, passes }
}

const llama = await openLibrary()
const { file: published } = await resolveModel('smollm2-q4_1')
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'aft-weight-formats-'))
const results: ({ format: string } & Awaited<ReturnType<typeof measure>>)[] = []
try {
  for (const format of flags.formats.split(',')) {
    const file = format === 'Q4_1' ? published : path.join(folder, `${format}.gguf`)
    const target = formats[format]
    if (target) await pipeline(transcode(published, target), fs.createWriteStream(file))
    results.push({ format, ...(await measure(file)) })
    if (target) fs.rmSync(file)
  }
} finally {
  fs.rmSync(folder, { recursive: true, force: true })
  await llama.dispose()
}
printTable(
  ['format', 'reads, tokens/s', ...SEQUENCES.map((count) => `a pass over ${count}, ms`)],
  results.map(({ format, read, passes }) => [
    format,
    read.toFixed(0),
    ...passes.map(({ ms }) => ms.toFixed(1)),
  ]),
)
saveResults(
  `weight-formats-${widestInstructions()}`,
  ['npm run bench -- weight-formats', ...process.argv.slice(2)].join(' '),
  {
    results,
  },
)
