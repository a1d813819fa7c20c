/** Adds up what completions took. */
import type { Usage } from './engine.ts'

/** Sums over all completions, failures and judgments: requests, tokens, and US dollars if providers report them. */
export interface UsageTotal {
  calls: number
  inputTokens: number
  prefilledTokens: number | null
  outputTokens: number
  cost?: number
  estimated?: boolean
}

/** Adds up usages; `prefilledTokens` is null if one of them is null. */
export function sumUsage(usages: Usage[]): UsageTotal {
  const total: UsageTotal = { calls: 0, inputTokens: 0, prefilledTokens: 0, outputTokens: 0 }
  for (const usage of usages) {
    total.calls += usage.calls
    total.inputTokens += usage.inputTokens
    total.outputTokens += usage.outputTokens
    total.prefilledTokens =
      total.prefilledTokens === null || usage.prefilledTokens === null
        ? null
        : total.prefilledTokens + usage.prefilledTokens
    if (usage.cost !== undefined) total.cost = (total.cost ?? 0) + usage.cost
    if (usage.estimated) total.estimated = true
  }
  return total
}
