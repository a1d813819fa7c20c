/** A request of any wire, as something to answer. */
import type { Ask } from './live.ts'
import { type AftOptions, type Asked, type Offer, planFor } from './plans.ts'

/** What every wire can say, in its own fields. */
export interface Request extends Omit<Asked, 'aft' | 'n' | 'isBare'> {
  /** `tools` is absent if there are none. */
  prompt: Ask['prompt']
  /** The field `aft`, if the request has one. */
  aft?: AftOptions
  /** How many answers; default 1. */
  n?: number
}

/**
 * Makes the plan of a request, and settles who may call tools and whether proposals are shown.
 * @throws UsageError with the field as `param`; its `code` is `model-not-found` for an unknown model
 */
export function makeAsk({ prompt, aft = {}, n = 1, ...request }: Request, offer: Offer): Ask {
  const { enabled = true, tools = 'aggregator', showProposals = false } = aft
  const isBare = !enabled || (tools === 'bypass' && prompt.tools !== undefined)
  const plan = planFor({ ...request, aft, n, isBare }, offer)
  return { model: request.model, prompt, plan, showProposals, tools }
}
