/** Turns a request of any wire into an `Ask`: what to answer and with which plan. */
import type { Ask } from './live.ts'
import { type AftOptions, type Offer, type PlanRequest, panelFor, planFor } from './plans.ts'

/** What every wire can say, in its own fields. */
export interface WireRequest extends Omit<PlanRequest, 'aft' | 'n' | 'isBare'> {
  /** `tools` is absent if there are none. */
  prompt: Ask['prompt']
  /** The field `aft`, if the request has one. */
  aft?: AftOptions
  /** The name of its field for the longest answer, for warnings. */
  maxTokensParam: string
  /** The name of its field for the schema of the answer, for errors. */
  formatParam?: string
  /** How many answers; default 1. */
  n?: number
}

/**
 * Makes the plan of a request, and decides who may call tools and whether proposals are shown.
 * @throws UsageError with the field as `param`; its `code` is `model-not-found` for an unknown model
 */
export function makeAsk(
  { prompt, aft = {}, n = 1, formatParam, ...request }: WireRequest,
  offer: Offer,
): Ask {
  const { enabled = true, tools = 'aggregator', showProposals = false } = aft
  const isBare = !enabled || (tools === 'bypass' && prompt.tools !== undefined)
  const warnings: string[] = []
  const sampling = { ...request.sampling, maxTokens: readLimit(request, offer, warnings) }
  const plan = planFor({ ...request, sampling, aft, n, isBare }, offer)
  return {
    model: request.model,
    prompt,
    plan,
    showProposals,
    tools,
    panel: panelFor(request.model, aft, offer),
    seed: request.seed ?? aft.seed,
    formatParam,
    warnings,
  }
}

/** A client's limit is the most that it can take, not a wish: one above the server's limit becomes the server's limit. */
function readLimit(
  { sampling: { maxTokens }, maxTokensParam }: Pick<WireRequest, 'sampling' | 'maxTokensParam'>,
  { limits }: Offer,
  warnings: string[],
): number | undefined {
  if (maxTokens === undefined || (maxTokens >= 1 && maxTokens <= limits.maxTokens)) return maxTokens
  const most = maxTokens < 1 ? undefined : limits.maxTokens
  const taken = most === undefined ? 'absent' : `${most}, the most that this server allows`
  warnings.push(`${maxTokensParam}: ${maxTokens} counts as ${taken}`)
  return most
}
