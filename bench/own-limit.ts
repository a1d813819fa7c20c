/** What the embedded library can do at best on this machine, measured without any of this project's engine. */
import type { LlamaContextSequence, Token } from 'node-llama-cpp'
import { openLibrary } from '../test/native-library.ts'
import { spreadOf } from './table.ts'

export interface OwnLimit {
  prefillTokensPerSecond: number
  /**
   * Tokens per second of all sequences together, by the number of sequences in lockstep, each after a prompt of this
   * many tokens: attention to a longer prompt takes longer.
   */
  decode: { sequences: number; promptTokens: number; tokensPerSecond: number }[]
}

const PREFILL_TOKENS = 900
/** Number of steps that a rate is averaged over. */
export const STEPS = 64

/** Measures prefill and full-batch decode rates at these points: the median of `repeats`. */
export async function measureOwnLimit(
  file: string,
  points: { sequences: number; promptTokens: number }[],
  threads = 2,
  repeats = 3,
): Promise<OwnLimit> {
  const llama = await openLibrary(threads)
  const model = await llama.loadModel({ modelPath: file })
  const context = await model.createContext({
    sequences: Math.max(...points.map((p) => p.sequences)),
    contextSize: 1100,
    threads,
    batchSize: 512,
  })
  const all = Array.from({ length: context.totalSequences }, () => context.getSequence())
  const text = 'The harbour was quiet, and the boats that had come in at dawn lay low in the water. '.repeat(
    80,
  )
  const tokens = model.tokenize(text).slice(0, PREFILL_TOKENS)
  const prefill: number[] = []
  const decode = points.map((point) => ({ ...point, rates: [] as number[] }))
  for (let i = 0; i < repeats; i++) {
    prefill.push(await timePrefill(all[0] as LlamaContextSequence, tokens))
    for (const { sequences, promptTokens, rates } of decode) {
      rates.push(await timeDecode(all.slice(0, sequences), tokens.slice(0, promptTokens)))
    }
  }
  await model.dispose()
  await llama.dispose()
  return {
    prefillTokensPerSecond: spreadOf(prefill).median,
    decode: decode.map(({ rates, ...point }) => ({ ...point, tokensPerSecond: spreadOf(rates).median })),
  }
}

async function timePrefill(sequence: LlamaContextSequence, tokens: Token[]): Promise<number> {
  await sequence.clearHistory()
  const start = performance.now()
  await sequence.evaluateWithoutGeneratingNewTokens(tokens)
  return (tokens.length / (performance.now() - start)) * 1000
}

async function timeDecode(sequences: LlamaContextSequence[], tokens: Token[]): Promise<number> {
  const iterators = []
  for (const [i, sequence] of sequences.entries()) {
    await sequence.clearHistory()
    iterators.push(
      sequence.evaluate(tokens, { temperature: 0.7, topP: 0.95, seed: i + 1, yieldEogToken: true }),
    )
  }
  await Promise.all(iterators.map((it) => it.next())) // reads the prompts
  const start = performance.now()
  for (let step = 0; step < STEPS; step++) await Promise.all(iterators.map((it) => it.next()))
  const rate = ((STEPS * sequences.length) / (performance.now() - start)) * 1000
  await Promise.all(iterators.map((it) => it.return()))
  return rate
}
