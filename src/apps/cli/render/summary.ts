/** Says what an answer took, in one line. */
import { countCompletions, enginesOf } from '../../../core/plan.ts'
import type { UsageTotal } from '../../../core/provider/usage.ts'
import type { Result } from '../../../core/result.ts'
import { showCount } from './text.ts'

/** Writes `11 completions in 3 calls · 1204 tokens written, 890 read · 14.2 s · smollm2 · seed 7`, then unusual facts. */
export function summaryOf({ layers, usage, plan, finishReason, agreed }: Result, ms: number): string {
  const completions = layers.flatMap((layer) => layer.completions)
  const trimmedTo = Math.min(...completions.map((c) => c.trimmedTo ?? Number.POSITIVE_INFINITY))
  const planned = agreed === undefined ? countCompletions(plan) : 0
  const part = completions.length < planned ? `${completions.length} of ` : ''
  const read = usage.prefilledTokens === null ? '' : `, ${usage.prefilledTokens.toLocaleString('en')} read`
  const facts = [
    `${part}${showCount(Math.max(planned, completions.length), 'completion')} in ${showCount(usage.calls, 'call')}`,
    `${showCount(usage.outputTokens, 'token')} written${read}${usage.estimated ? ' (estimated)' : ''}`,
    ...showCached(usage),
    ...(usage.cost === undefined ? [] : [`$${usage.cost.toPrecision(2)}`]),
    `${(ms / 1000).toFixed(1)} s`,
    enginesOf(plan).join(', '),
    `seed ${plan.seed}`,
    ...(agreed === undefined ? [] : [`the proposals agree (${agreed.toFixed(2)}): later layers skipped`]),
    ...(Number.isFinite(trimmedTo) ? [`proposals trimmed to ${trimmedTo} characters to fit`] : []),
    ...(finishReason === 'length' ? ['cut by --max-tokens'] : []),
  ]
  return facts.join(' · ')
}

/** Writes `prompt cache: proposers 120, aggregators 300` if engines had a part of the prompts in a cache. */
function showCached({ cachedTokens = {} }: UsageTotal): string[] {
  const parts = Object.entries(cachedTokens).map(([role, n]) => `${role}s ${n.toLocaleString('en')}`)
  return parts.length > 0 ? [`prompt cache: ${parts.join(', ')}`] : []
}
