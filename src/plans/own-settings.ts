/** Settings that one prompt of many brings for itself. */
import type { Plan } from '../core/plan.ts'
import type { Sampling } from '../core/provider/engine.ts'

/** What a prompt's row sets: sampling in every layer, and the seed of its plan. */
export interface OwnSettings {
  sampling?: Partial<Sampling>
  seed?: number
}

/** The plan with a prompt's own settings in place of its own. */
export function withOwnSettings(plan: Plan, own: OwnSettings | undefined): Plan {
  if (!own) return plan
  const { sampling, seed = plan.seed } = own
  const layers = plan.layers.map((layer) => ({
    ...layer,
    voices: layer.voices.map((voice) => ({ ...voice, sampling: { ...voice.sampling, ...sampling } })),
  }))
  return { ...plan, seed, layers }
}
