/**
 * What the native library itself can do on this processor, one thread, without the engine around it:
 *   - reading and writing behind a short and a long prompt, by type of the keys and values, with and without flash attention;
 *   - one pass over 1 to 16 tokens of one sequence: what it costs to check guessed tokens, compared with writing one.
 * The engine uses 16-bit floats and leaves flash attention to the library, which uses it if the model allows. It guesses nothing.
 *
 *   npm run bench -- embedded-limits
 */
import { resolveModel } from '../src/engines/models/models.ts'
import { openLibrary } from '../test/native-library.ts'
import { CHUNK, nativeOf, readPrompt, timeCpu, tokens, writeTokens } from './native-passes.ts'
import { printTable, saveResults, spreadOf, widestInstructions } from './table.ts'

const SEQUENCES = 5
const STEPS = 16
const REPEATS = 5
const LENGTHS = [64, 800]
const GUESSES = [1, 2, 3, 4, 6, 8, 12, 16]

const { file } = await resolveModel('smollm2')
const llama = await openLibrary()
const model = await llama.loadModel({ modelPath: file })

interface Variant {
  type: 'F16' | 'F32' | 'BF16' | 'Q8_0'
  flash: boolean
}
const variants: Variant[] = (['F16', 'F32', 'BF16', 'Q8_0'] as const).flatMap((type) =>
  [false, true].flatMap((flash) => (type === 'Q8_0' && !flash ? [] : [{ type, flash }])),
)

async function open(sequences: number, { type, flash }: Variant) {
  const context = await model.createContext({
    sequences,
    contextSize: 1024,
    batchSize: CHUNK,
    threads: 1,
    flashAttention: flash,
    experimentalKvCacheKeyType: type,
    experimentalKvCacheValueType: type,
    failedCreationRemedy: false,
  })
  return { context, native: nativeOf(context) }
}

/** Tokens per second of processor time: reading a prompt, and writing with five sequences behind it. */
async function speeds(variant: Variant, length: number): Promise<{ read: number; write: number }> {
  const { context, native } = await open(SEQUENCES, variant)
  const readMs = await timeCpu(() => readPrompt(native, length))
  for (let to = 1; to < SEQUENCES; to++) await native.copySequenceStateFromOtherSequence(to, 0)
  const writeMs = await timeCpu(async () => {
    for (let step = 0; step < STEPS; step++) await writeTokens(native, SEQUENCES, length + step)
  })
  await context.dispose()
  return { read: (1000 * length) / readMs, write: (1000 * SEQUENCES * STEPS) / writeMs }
}

/** Milliseconds of one pass over `count` tokens behind a prompt. */
async function passes(length: number): Promise<Record<number, number[]>> {
  const { context, native } = await open(1, { type: 'F16', flash: true })
  await readPrompt(native, length)
  const times: Record<number, number[]> = {}
  for (let i = 0; i < REPEATS; i++)
    for (const count of GUESSES) {
      const ms = await timeCpu(async () => {
        native.initBatch(count)
        const all = Uint32Array.from({ length: count }, (_, at) => at)
        native.addToBatch(0, length, tokens.slice(0, count), all)
        await native.decodeBatch()
      })
      native.removeTokenCellsFromSequence(0, length, -1)
      times[count] = [...(times[count] ?? []), ms]
    }
  await context.dispose()
  return times
}

const kinds = []
for (const length of LENGTHS)
  for (const variant of variants) {
    const runs = []
    for (let i = 0; i < REPEATS; i++) runs.push(await speeds(variant, length))
    kinds.push({ length, ...variant, runs })
  }
const median = (values: number[]) => spreadOf(values).median
printTable(
  ['keys and values', 'flash attention', 'prompt', 'reads, tokens/s', 'writes with 5 sequences, tokens/s'],
  kinds.map(({ type, flash, length, runs }) => [
    type,
    flash ? 'yes' : 'no',
    length,
    median(runs.map((run) => run.read)).toFixed(0),
    median(runs.map((run) => run.write)).toFixed(0),
  ]),
)
const checks: { length: number; ms: Record<number, number[]> }[] = []
for (const length of LENGTHS) checks.push({ length, ms: await passes(length) })
printTable(
  ['one pass over', ...LENGTHS.map((length) => `behind ${length} tokens, ms`)],
  GUESSES.map((count) => [`${count} tokens`, ...checks.map(({ ms }) => median(ms[count] ?? []).toFixed(1))]),
)
saveResults(`embedded-limits-${widestInstructions()}`, 'npm run bench -- embedded-limits', { kinds, checks })
await llama.dispose()
