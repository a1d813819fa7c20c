/** Says what an answer took, in one line. */
import { countCompletions, enginesOf } from '../../../core/plan.ts'
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
