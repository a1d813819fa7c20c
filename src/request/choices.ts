/** The choices of an answer: if a request asks for `n` answers, the last layer writes `n` completions. */
import type { Plan } from '../core/plan.ts'
import type { Completion } from '../core/provider/records.ts'
import type { Result } from '../core/result.ts'

/** The layer whose completions are the choices, or undefined if the answer is picked from a layer. */
export function writingLayer({ choose, layers }: Plan): number | undefined {
  return choose === 'last' ? layers.length - 1 : undefined
}

/** How many choices the answer will have if none fails. */
export function countChoices(plan: Plan): number {
  const layer = writingLayer(plan)
  return layer === undefined ? 1 : (plan.layers[layer]?.voices[0]?.n ?? 1)
}

/** The completions by the number of their choice. If an earlier layer gave the answer, there is only choice 0. */
export function listChoices({ layers, from }: Result, plan: Plan): Map<number, Completion> {
  const { completions } = layers[from.layer] as Result['layers'][number]
  if (from.layer === writingLayer(plan)) {
    const byIndex = Map.groupBy(completions, (c) => c.index)
    return new Map([...byIndex].map(([index, [best]]) => [index, best as Completion]))
  }
  return new Map([[0, completions.find((c) => c.index === from.index) as Completion]])
}
