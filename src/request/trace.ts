/** What a response reports about its run: the usage, and what happened in the layers. */
import type { TokenScore } from '../core/provider/engine.ts'
import type { Completion, Failure } from '../core/provider/records.ts'
import type { UsageTotal } from '../core/provider/usage.ts'
import type { Result } from '../core/result.ts'
import type { Answered } from './live.ts'

/** What a trace holds besides the result. */
interface TraceOptions {
  /** Whether it holds the proposals' texts. */
  showProposals: boolean
  /** What was changed in the request, in words. */
  warnings?: string[]
}

/** The field `aft` of a response. */
export function traceOf({ result, panel }: Answered, { showProposals, warnings: more = [] }: TraceOptions) {
  const { from, degraded, degradedBecause, agreed, judgment, usage, ms, plan, template, layers } = result
  const warnings = [...more, ...(result.warnings ?? [])]
  const hasTexts = (layer: number) => showProposals && layer < plan.layers.length - 1
  return {
    strategy: plan.strategy,
    seed: plan.seed,
    template,
    from,
    answeredBy: layers[from.layer]?.completions.find((c) => c.index === from.index)?.engine,
    degraded,
    ...(degradedBecause && { degradedBecause }),
    ...(warnings.length > 0 && { warnings }),
    ...(agreed !== undefined && { agreed }),
    ...(panel && { panel }),
    layers: layers.map(({ completions, failures }, layer) => ({
      completions: completions.map((c) => ({ ...strip(c), ...(hasTexts(layer) && { text: c.text }) })),
      failures,
    })),
    ...(judgment && { judgment: 'text' in judgment ? strip(judgment) : (judgment as Failure) }),
    usage,
    ms,
  }
}

function strip({ text, reasoning, toolCalls, logprobs, ...rest }: Completion) {
  return rest
}

/**
 * The sum over all calls. A prompt that several samples share counts once per sample; the tokens that the engine did
 * not read again are in `cached_tokens`.
 */
export function usageOf(usage: UsageTotal, result: Result) {
  const { inputTokens, prefilledTokens, cachedTokens = {}, outputTokens, cost } = usage
  const known = Object.values(cachedTokens).reduce((a, b) => a + b, 0)
  const completions = result.layers.flatMap((layer) => layer.completions)
  const reasoning = completions.reduce((sum, c) => sum + (c.usage.reasoningTokens ?? 0), 0)
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    prompt_tokens_details: {
      cached_tokens: prefilledTokens === null ? known : Math.max(0, inputTokens - prefilledTokens),
    },
    completion_tokens_details: { reasoning_tokens: reasoning },
    ...(cost !== undefined && { cost }),
  }
}

/** Log probabilities as the wire has them. */
export function toScores(scores: TokenScore[]) {
  const toWire = ({ token, logprob }: Omit<TokenScore, 'top'>) => ({
    token,
    logprob,
    bytes: [...new TextEncoder().encode(token)],
  })
  return scores.map((score) => ({ ...toWire(score), top_logprobs: (score.top ?? []).map(toWire) }))
}
