/**
 * Which way of computing attention suits this processor and this model. It depends on both, and on how long the texts
 * are: flash attention reads faster, the others write faster behind long prompts. So it is measured, one thread, by the
 * time of the processor.
 */
import { type Attention, attentions } from '../engine-options.ts'
import type { NativeContext, NativeModel, OpenContext } from './native.ts'
import { scoreToken } from './score.ts'
import { CHUNK } from './sequence-pool.ts'

/** What one way costs, in milliseconds of processor time; each at the beginning of a text and after `depth` tokens. */
export interface AttentionCost {
  attention: Attention
  /** A chunk of a prompt. */
  read: Cost
  /** A token of one sequence. */
  one: Cost
  /** A token of each of `WIDTH` sequences. */
  wide: Cost
  /** How much log probabilities differ from those with 32-bit keys and values: nats, root mean square. */
  change: number
}

/** Milliseconds; between the two it grows by the same per token. */
interface Cost {
  early: number
  late: number
}

/** What was measured. */
export interface AttentionCosts {
  /** Tokens after which `late` was measured. */
  depth: number
  costs: AttentionCost[]
}

/** Sequences that write together. */
export const WIDTH = 4
/** Tokens before the tokens that are written early. */
const EARLY = CHUNK
/** What follows these tokens of a chunk is scored. */
const SCORED = [7, 15, 23, 31, 39, 47, 55, 63]
const REPEATS = 5
/** The change of log probabilities may be this many times that of flash attention: the noise of 16-bit floats. */
const NOISE = 1.5

/** How long and how deep to measure. */
export interface MeasureOptions {
  /** Tokens of the longest prompt. */
  depth: number
  /** No longer prompt is read after this time. */
  limitMs: number
}

/** Measures all ways. `text` is read as the prompt, again and again if it is short. */
export async function measureAttention(
  model: NativeModel,
  text: string,
  { depth: most, limitMs }: MeasureOptions,
): Promise<AttentionCosts> {
  const words = model.tokenize(text)
  const tokens = Array.from({ length: most + 1 }, (_, i) => words[i % words.length] as number)
  const opened: OpenContext[] = []
  try {
    for (const attention of [...attentions, 'exact'] as const) {
      const sequences = attention === 'exact' ? 1 : WIDTH
      opened.push(await model.createContext({ sequences, size: most + CHUNK, batchSize: CHUNK, attention }))
    }
    for (const { native } of opened) native.setThreads(1)
    const contexts = opened.map(({ native }) => native)
    const { depth, scores } = await readAll(model, contexts, tokens, limitMs)
    const exact = scores.at(-1) ?? []
    const times = await timeAll(contexts.slice(0, -1), tokens, depth)
    const costs = attentions.map((attention, i) => {
      const changes = (scores[i] ?? []).map((score, at) => (score - (exact[at] ?? 0)) ** 2)
      const change = Math.sqrt(changes.reduce((sum, square) => sum + square, 0) / changes.length)
      return { attention, ...(times[i] as Omit<AttentionCost, 'attention' | 'change'>), change }
    })
    return { depth, costs }
  } finally {
    for (const { dispose } of opened) await dispose()
  }
}

/** Reads a chunk by each context in turn, until the text or the time has ended, and scores some of its tokens. */
async function readAll(model: NativeModel, contexts: NativeContext[], tokens: number[], limitMs: number) {
  const greedy = model.createSampler({ temperature: 0 })
  const scores = contexts.map((): number[] => [])
  const start = performance.now()
  let depth = 0
  while (depth + CHUNK < tokens.length && (depth < 4 * CHUNK || performance.now() - start < limitMs)) {
    for (const [i, native] of contexts.entries()) {
      const part = { tokens: tokens.slice(depth, depth + CHUNK), logitsAt: SCORED }
      const rows = await evaluate(native, [0], depth, part)
      for (const [at, row] of rows.entries()) {
        const next = tokens[depth + (SCORED[at] as number) + 1] as number
        scores[i]?.push((await scoreToken(native, row, greedy, next, { model })).logprob)
      }
    }
    depth += CHUNK
  }
  greedy.dispose()
  return { depth, scores }
}

/** The least time of several, of all contexts in turn: what else the machine does meets all alike. */
async function timeAll(contexts: NativeContext[], tokens: number[], depth: number) {
  const all = Array.from({ length: WIDTH }, (_, sequence) => sequence)
  const chunk = { tokens: tokens.slice(0, CHUNK) }
  const word = { tokens: tokens.slice(0, 1), logitsAt: [0] }
  const time = async (sequences: number[], position: number, read: typeof word | typeof chunk) => {
    const times = contexts.map((): number[] => [])
    for (let i = 0; i < REPEATS; i++)
      for (const [at, native] of contexts.entries()) {
        const before = process.cpuUsage()
        await evaluate(native, sequences, position, read)
        const { user, system } = process.cpuUsage(before)
        times[at]?.push((user + system) / 1000)
        for (const sequence of sequences) native.removeTokenCellsFromSequence(sequence, position, -1)
      }
    return times.map((some) => Math.min(...some))
  }
  const readEarly = await time([1], 0, chunk)
  const readLate = await time([0], depth, chunk)
  for (const native of contexts)
    for (const sequence of all.slice(1)) await native.copySequenceStateFromOtherSequence(sequence, 0)
  const late = [await time([0], depth, word), await time(all, depth, word)]
  for (const native of contexts)
    for (const sequence of all) native.removeTokenCellsFromSequence(sequence, EARLY, -1)
  const early = [await time([0], EARLY, word), await time(all, EARLY, word)]
  const cost = (at: number, ...[first, last]: (number[] | undefined)[]): Cost => ({
    early: first?.[at] ?? 0,
    late: last?.[at] ?? 0,
  })
  return contexts.map((_, at) => ({
    read: cost(at, readEarly, readLate),
    one: cost(at, early[0], late[0]),
    wide: cost(at, early[1], late[1]),
  }))
}

/** Evaluates the same tokens in each of some sequences. Returns the first one's rows of logits. */
async function evaluate(
  native: NativeContext,
  sequences: number[],
  position: number,
  { tokens, logitsAt = [] }: { tokens: number[]; logitsAt?: number[] },
): Promise<number[]> {
  native.initBatch(sequences.length * tokens.length)
  const rows = sequences.map((sequence) =>
    native.addToBatch(sequence, position, Uint32Array.from(tokens), Uint32Array.from(logitsAt)),
  )
  await native.decodeBatch()
  return [...(rows[0] as Uint32Array)]
}

/** Milliseconds of processor time for one question, 5 × 2, whose texts all have `length` tokens. */
export function estimateMs({ read, one, wide }: AttentionCost, depth: number, length: number): number {
  const prompt = EARLY + 5 * length
  const at = ({ early, late }: Cost, tokens: number, from: number) =>
    early + ((late - early) * (tokens - from)) / (depth - from)
  const reading = (tokens: number) => (tokens / CHUNK) * at(read, tokens / 2, 0)
  const writing = (sequences: number, before: number) => {
    const middle = before + length / 2
    const [single, several] = [at(one, middle, EARLY), at(wide, middle, EARLY)]
    return length * (single + ((several - single) * (sequences - 1)) / (WIDTH - 1))
  }
  return reading(EARLY) + writing(5, EARLY) + 2 * reading(prompt) + writing(5, prompt) + writing(1, prompt)
}

/** At least so much must be gained: less may be noise, and another way writes other texts for the same seed. */
const LEAST_GAIN = 0.05

/** The fastest way for texts of `length` tokens that loses nothing; flash attention if no other is clearly faster. */
export function chooseFastest({ depth, costs }: AttentionCosts, length: number): Attention {
  const [flash] = costs as [AttentionCost]
  const msOf = (cost: AttentionCost) => estimateMs(cost, depth, length)
  const exact = costs.filter(({ change }) => change <= NOISE * flash.change)
  const best = exact.reduce((a, b) => (msOf(b) < msOf(a) ? b : a), flash)
  return msOf(best) < (1 - LEAST_GAIN) * msOf(flash) ? best.attention : 'flash'
}
