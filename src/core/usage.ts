/** What things took: sums, and what an interruption made it take twice. */

import type { Group, Member } from './group.ts'
import type { LayerRun } from './layer.ts'
import type { Usage } from './provider/engine.ts'

/** Sums over all completions, failures and judgments. Tokens; `cost` in US dollars where providers tell. */
export interface UsageTotal {
  calls: number
  inputTokens: number
  prefilledTokens: number | null
  outputTokens: number
  cost?: number
  estimated?: boolean
}

/** Adds up usages; `prefilledTokens` is null as soon as one engine could not tell. */
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

/**
 * A usage as an undisturbed run has it. A resumed group sends its prompt again for the members that are missing:
 * where a recorded member bears that prompt's cost already, the second one is set apart in `repeated`.
 */
export function settleUsage(
  usage: Usage,
  { run, group, name, member }: { run: LayerRun; group: Group; name: string; member: Member },
): Usage {
  if (usage.calls === 0) return usage
  const recorded = run.host.recorded?.[run.depth]?.completions ?? []
  const place = (index: number) => group.indices.indexOf(index)
  const isPaid = recorded.some((c) => {
    const distance = place(member.index) - place(c.index)
    return c.engine === name && place(c.index) >= 0 && distance > 0 && distance < (c.usage.sharedBy ?? 1)
  })
  if (isPaid) return setApart(usage)
  return usage.sharedBy === group.members.length ? { ...usage, sharedBy: group.indices.length } : usage
}

function setApart({ sharedBy, ...usage }: Usage): Usage {
  const { calls, prefilledTokens } = usage
  return {
    ...usage,
    calls: 0,
    prefilledTokens: prefilledTokens === null ? null : 0,
    repeated: { calls, prefilledTokens },
  }
}
