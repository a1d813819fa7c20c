/** How likely a target is to a model, by what it is shown: the low-perplexity region of arXiv 2501.11877, section 6.1. */
import type { Engine, Message } from '../core/engine.ts'
import { UsageError } from '../core/errors.ts'
import { randomFrom } from '../core/seeds.ts'
import { bootstrapMean, type Interval, mean } from '../lib/statistics.ts'

/** One target and the prompts before it, by the name of the condition. */
export interface ScoredCase {
  id: string
  target: string
  prompts: Record<string, Message[]>
}

/** Natural logarithms summed over a target's tokens, for each condition. */
export interface CaseScore {
  id: string
  tokens: number
  nats: Record<string, number>
}

/** Over all cases. Perplexity is exp of the mean over tokens; the difference is the mean over cases of nats a token. */
export interface ConditionSummary {
  condition: string
  perplexity: number
  /** To the first condition, paired; negative: more likely. */
  difference?: number
  interval?: Interval
  /** Share of cases in which the target is more likely than in the first condition. */
  lower?: number
}

/**
 * Scores the targets, one case after the other.
 * @throws UsageError for an engine that cannot score
 */
export async function scoreCases(
  engine: Engine,
  cases: ScoredCase[],
  onCase: (score: CaseScore, done: number) => void = () => {},
): Promise<CaseScore[]> {
  if (!engine.score) throw new UsageError(`${engine.id} gives no log probabilities; take an embedded model`)
  const scores: CaseScore[] = []
  for (const { id, target, prompts } of cases) {
    const nats: CaseScore['nats'] = {}
    let tokens = 0
    for (const [condition, messages] of Object.entries(prompts)) {
      const found = await engine.score(messages, target)
      tokens = found.length
      nats[condition] = -found.reduce((sum, { logprob }) => sum + logprob, 0)
    }
    const score = { id, tokens, nats }
    scores.push(score)
    onCase(score, scores.length)
  }
  return scores
}

/** Perplexities, and each condition beside the first. The intervals are of 95 %, over cases. */
export function summarise(scores: CaseScore[], seed = 0): ConditionSummary[] {
  const conditions = Object.keys(scores[0]?.nats ?? {})
  const tokens = scores.reduce((sum, score) => sum + score.tokens, 0)
  const natsOf = (score: CaseScore, condition: string) => score.nats[condition] as number
  return conditions.map((condition, i) => {
    const total = scores.reduce((sum, score) => sum + natsOf(score, condition), 0)
    const summary = { condition, perplexity: Math.exp(total / tokens) }
    if (i === 0) return summary
    const first = conditions[0] as string
    const differences = scores.map((s) => (natsOf(s, condition) - natsOf(s, first)) / s.tokens)
    return {
      ...summary,
      difference: mean(differences),
      interval: bootstrapMean(differences, { random: randomFrom(seed) }),
      lower: differences.filter((d) => d < 0).length / differences.length,
    }
  })
}
