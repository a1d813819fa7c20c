/**
 * What it would gain to read ended drafts for the next layer while others still write: one pass that writes a token in some
 * sequences and reads part of a prompt in another, beside the two passes one after the other. By the clock; in turn.
 *
 *   npm run bench -- joint-passes
 */
import type { NativeContext } from '../src/engines/embedded/native.ts'
import { resolveModel } from '../src/engines/models/models.ts'
import { openLibrary } from '../test/native-library.ts'
import { addWritten, CHUNK, nativeOf, readPrompt, tokens } from './native-passes.ts'
import { printTable, saveResults, showSpread, spreadOf, widestInstructions } from './table.ts'

const BEHIND = 150
const REPEATS = 6
const THREADS = [1, 2]
const WRITING = [1, 2, 4]
const READING = [16, 64, 192]
/** The sequence that reads; those before it write. */
const READER = Math.max(...WRITING)

const { file } = await resolveModel('smollm2')
const llama = await openLibrary(Math.max(...THREADS))
const model = await llama.loadModel({ modelPath: file })

interface Times {
  threads: number
  writing: number
  reading: number
  /** Milliseconds by the clock, one number per repeat. */
  write: number[]
  read: number[]
  joint: number[]
}

/** Milliseconds of a pass that follows one of its own size: the first of another size costs more. */
async function timePass(native: NativeContext, writing: number, reading: number): Promise<number> {
  await pass(native, writing, reading)
  return pass(native, writing, reading)
}

/** One pass that writes in the first `writing` sequences, and reads `reading` tokens into the one behind them. */
async function pass(native: NativeContext, writing: number, reading: number): Promise<number> {
  const start = performance.now()
  native.initBatch(writing + reading)
  addWritten(native, writing, BEHIND)
  if (reading > 0) native.addToBatch(READER, 0, tokens.slice(0, reading), new Uint32Array())
  await native.decodeBatch()
  const ms = performance.now() - start
  for (let sequence = 0; sequence < writing; sequence++)
    native.removeTokenCellsFromSequence(sequence, BEHIND, -1)
  native.removeTokenCellsFromSequence(READER, 0, -1)
  return ms
}

async function measure(threads: number): Promise<Times[]> {
  const sizes = { sequences: READER + 1, contextSize: 512, batchSize: CHUNK }
  const context = await model.createContext({ ...sizes, threads, failedCreationRemedy: false })
  const native = nativeOf(context)
  await readPrompt(native, BEHIND)
  for (let to = 1; to < READER; to++) await native.copySequenceStateFromOtherSequence(to, 0)
  const all = WRITING.flatMap((writing) =>
    READING.map((reading): Times => ({ threads, writing, reading, write: [], read: [], joint: [] })),
  )
  for (let i = 0; i <= REPEATS; i++)
    for (const times of all) {
      const { writing, reading } = times
      const [write, read, joint] = [
        await timePass(native, writing, 0),
        await timePass(native, 0, reading),
        await timePass(native, writing, reading),
      ]
      if (i === 0) continue
      times.write.push(write)
      times.read.push(read)
      times.joint.push(joint)
    }
  await context.dispose()
  return all
}

const results: Times[] = []
for (const threads of THREADS) results.push(...(await measure(threads)))
const shareOf = ({ write, read, joint }: Times) =>
  joint.map((ms, i) => ms / ((write[i] as number) + (read[i] as number)))
printTable(
  [
    'threads',
    'sequences that write',
    'tokens read',
    'write, ms',
    'read, ms',
    'together, ms',
    'together, share of both',
  ],
  results.map((times) => [
    times.threads,
    times.writing,
    times.reading,
    ...[times.write, times.read, times.joint].map((ms) => spreadOf(ms).median.toFixed(1)),
    showSpread(shareOf(times)),
  ]),
)
saveResults(`joint-passes-${widestInstructions()}`, 'npm run bench -- joint-passes', {
  behind: BEHIND,
  results,
})
process.exit(0)
