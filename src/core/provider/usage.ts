/** Adds up what completions took. */
import type { Usage } from './engine.ts'

/** Sums over all completions, failures and judgments: requests, tokens, and US dollars if providers report them. */
export interface UsageTotal {
  calls: number
  inputTokens: number
  prefilledTokens: number | null
  outputTokens: number
  /**
   * Prompt tokens that engines had in a cache, by role; each request counts once. Absent if no engine tells of any.
   */
  cachedTokens?: Partial<Record<UsageRole, number>>
  cost?: number
  estimated?: boolean
}

/** Who spent a usage. */
export type UsageRole = 'proposer' | 'aggregator' | 'judge'

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

/** Prompt tokens that engines had in a cache. The completion that carries the calls of a request stands for all of it. */
export function sumCached(usages: Usage[]): number {
  return usages.reduce((sum, { calls, inputTokens, prefilledTokens }) => {
    const isKnown = calls > 0 && prefilledTokens !== null
    return isKnown ? sum + Math.max(0, inputTokens - prefilledTokens) : sum
  }, 0)
}

/** What one role made, with what each of it took. */
export type Spent = [role: UsageRole, made: { usage?: Usage }[]]

/** Adds up usages, and the cached prompt tokens of each role that has some. */
export function sumByRole(spent: Spent[]): UsageTotal {
  const total = sumUsage(spent.flatMap(([, made]) => made.flatMap(({ usage }) => usage ?? [])))
  const cached: Partial<Record<UsageRole, number>> = {}
  for (const [role, made] of spent) {
    const tokens = sumCached(made.flatMap(({ usage }) => usage ?? []))
    if (tokens > 0) cached[role] = (cached[role] ?? 0) + tokens
  }
  return Object.keys(cached).length > 0 ? { ...total, cachedTokens: cached } : total
}
