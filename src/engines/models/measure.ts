/** Measures which way of attention is the fastest for a model on this processor, and keeps the answer. */
import { UsageError } from '../../core/provider/errors.ts'
import { planOptions } from '../../plans/options.ts'
import { attentionFile, type KeptAttention, keepAttention } from '../embedded/kept-attention.ts'
import { chooseFastest, measureAttention } from '../embedded/measure-attention.ts'
import { loadNative } from '../embedded/native.ts'
import { type ResolveOptions, resolveModel } from './models.ts'

/** How to measure. */
export interface MeasureModelOptions extends ResolveOptions {
  /** Tokens of a completion; default: the model's own limit, else 400. */
  length?: number
}

/** What was kept, and where. */
export interface MeasuredModel {
  file: string
  kept: KeptAttention
}

const LENGTH = 400
const DEPTH = 768
/** No longer prompt is read after this time: a large model is measured behind a shorter one. */
const LIMIT_MS = 30_000
/** Sequences of all contexts, in the size of 16-bit floats. */
const ROOMS = 14

/**
 * Measures a model and keeps the result, which the engine then uses.
 * @throws UsageError if a GPU computes the model, or another process measures it
 */
export async function measureModel(name: string, options: MeasureModelOptions = {}): Promise<MeasuredModel> {
  const { file, maxTokens } = await resolveModel(name, options)
  const length = options.length ?? maxTokens ?? LENGTH
  const kept = await keepAttention(file, () => measure(name, file, length), options.env)
  return { file: attentionFile(file, options.env), kept }
}

async function measure(name: string, file: string, length: number) {
  const model = await loadNative({ file })
  try {
    if (!model.isOnProcessor)
      throw new UsageError(`${name}: a GPU computes this model, so there is nothing to choose`)
    const room = process.availableMemory() / 4 / (ROOMS * Math.max(1, model.bytesPerToken))
    const depth = Math.min(DEPTH, model.trainLength - 64, Math.floor(room / 64) * 64)
    // Plain English that is always here.
    const text = Object.values(planOptions)
      .map(({ help }) => help)
      .join('. ')
    const costs = await measureAttention(model, text, { depth, limitMs: LIMIT_MS })
    return { attention: chooseFastest(costs, length), length, ...costs }
  } finally {
    await model.dispose()
  }
}
