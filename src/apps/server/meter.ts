/** Counts what a request takes, also if it fails or its client leaves. */
import type { Plan } from '../../core/plan.ts'
import type { Template } from '../../core/provider/template.ts'
import type { AftEvent, Result } from '../../core/result.ts'
import type { Ask } from '../../request/live.ts'
import {
  addSpending,
  boundSpending,
  nothingSpent,
  type Price,
  type Spending,
  spendingOf,
} from '../../run/budget.ts'

/** Counts one request. */
export interface Meter {
  /** The most that the request may take. */
  bound: Spending
  onEvent(event: AftEvent): void
  /** What it took, with the judgment of its result. */
  took(result: Result | undefined): Spending
  /**
   * What it took if its client left: what runs then may have written anything up to its limit, and the server behind this
   * one does not say.
   */
  tookAtMost(): Spending
}

/** The client chooses text and images: of the dearest, Qwen2-VL reads 16,384 tokens. Chat templates add less than this. */
const DEAREST = { bytesPerToken: 1, imageTokens: 16_384, requestTokens: 64 }

/** Makes the meter of a request. */
export function createMeter(
  { prompt, plan }: Pick<Ask, 'prompt' | 'plan'>,
  { template, prices }: { template: Template; prices: Record<string, Price | undefined> },
): Meter {
  const boundOf = (part: Plan) => boundSpending(prompt, { plan: part, template, prices, ...DEAREST })
  let [spent, layers]: [Spending, number] = [nothingSpent, 0]
  const add = ({ usage, engine }: { usage?: Parameters<typeof spendingOf>[0]; engine: string }) => {
    if (usage) spent = addSpending(spent, spendingOf(usage, prices[engine]))
  }
  return {
    bound: boundOf(plan),
    onEvent(event) {
      if (event.type === 'layer-start') layers = Math.max(layers, event.layer + 1)
      if (event.type === 'completion-end') add(event.completion)
      if (event.type === 'completion-failed') add(event.failure)
    },
    took(result) {
      if (result?.judgment) add(result.judgment)
      return spent
    },
    tookAtMost: () => boundOf({ ...plan, choose: 'last', layers: plan.layers.slice(0, layers) }),
  }
}
