/** Settings that one prompt of many, or one request, brings for itself. */
import type { Plan, Voice } from '../core/plan.ts'
import type { Sampling } from '../core/provider/engine.ts'

/** What a prompt's row sets: sampling in every layer, and the seed of its plan. */
export interface OwnSettings {
  sampling?: Partial<Sampling>
  seed?: number
}

/** The plan with a prompt's own settings in place of its own. */
export function withOwnSettings(plan: Plan, own: OwnSettings | undefined): Plan {
  if (!own) return plan
  const { sampling = {}, seed = plan.seed } = own
  return { ...mapSampling(plan, (before) => ({ ...before, ...sampling })), seed }
}

/** The plan with another sampling of each voice and each fallback. */
export function mapSampling(plan: Plan, change: (sampling: Sampling) => Sampling): Plan {
  const changeIn = <Sampled extends { sampling: Sampling }>(sampled: Sampled): Sampled => {
    return { ...sampled, sampling: change(sampled.sampling) }
  }
  const changeVoice = (voice: Voice): Voice => {
    const fallbacks = voice.fallbacks?.map((f) => (typeof f === 'string' ? f : changeIn(f)))
    return { ...changeIn(voice), ...(fallbacks && { fallbacks }) }
  }
  return { ...plan, layers: plan.layers.map((l) => ({ ...l, voices: l.voices.map(changeVoice) })) }
}
