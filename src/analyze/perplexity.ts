/**
 * How expected a target is to a model, by what it is shown before: the low-perplexity region of arXiv 2501.11877,
 * section 6.1. Perplexity is exp of the mean negative log probability of all targets' tokens, in nats.
 */
import type { Engine, Message } from '../core/provider/engine.ts'
import { UsageError } from '../core/provider/errors.ts'
import { aggregatorMessages, defaultTemplate, proposerMessages } from '../core/templates.ts'
import { randomFrom } from '../lib/random.ts'
import { bootstrapMean, type Interval, mean } from '../lib/statistics.ts'

/** One target and the prompts before it, by the name of the condition. The first is what the others are compared with. */
export interface ScoredCase {
  id: string
  target: string
  prompts: Record<string, Message[]>
}

/** A target's tokens, and their negative log probabilities summed, in nats. */
export interface TargetScore {
  tokens: number
  nats: number
}

/** A case's targets by condition. */
export type CaseScore = { id: string } & Record<'scores', Record<string, TargetScore>>

/** Over all cases. */
export interface ConditionSummary {
  condition: string
  perplexity: number
  /** Mean over cases of nats per token less those of the first condition; negative: more likely. Null in the first. */
  difference: number | null
  /** Of 95 %, over cases. */
  interval: Interval | null
  /** Share of cases in which the target is more likely than in the first condition, 0 to 1. */
  lower: number | null
}

/** @throws UsageError for an engine that cannot score */
export async function scoreTarget(engine: Engine, prompt: Message[], target: string): Promise<TargetScore> {
  if (!engine.score) throw new UsageError(`${engine.id} gives no log probabilities; take an embedded model`)
  const found = await engine.score(prompt, target)
  return { tokens: found.length, nats: -found.reduce((sum, { logprob }) => sum + logprob, 0) }
}

/** Perplexities, and each condition beside the first: paired by case. A condition that some case lacks is left out. */
export function summarize(cases: CaseScore[], seed = 0): ConditionSummary[] {
  const all = Object.keys(cases[0]?.scores ?? {})
  const conditions = all.filter((condition) => cases.every(({ scores }) => scores[condition]))
  const scoreOf = (of: CaseScore, condition: string) => of.scores[condition] as TargetScore
  const rate = (of: CaseScore, condition: string) => {
    const { nats, tokens } = scoreOf(of, condition)
    return nats / tokens
  }
  return conditions.map((condition, i): ConditionSummary => {
    const sum = (name: keyof TargetScore) =>
      cases.reduce((total, of) => total + scoreOf(of, condition)[name], 0)
    const perplexity = Math.exp(sum('nats') / sum('tokens'))
    if (i === 0) return { condition, perplexity, difference: null, interval: null, lower: null }
    const differences = cases.map((of) => rate(of, condition) - rate(of, conditions[0] as string))
    return {
      condition,
      perplexity,
      difference: mean(differences),
      interval: bootstrapMean(differences, { random: randomFrom(seed) }) ?? null,
      lower: differences.filter((d) => d < 0).length / differences.length,
    }
  })
}

/** A training example as `aft data build` writes it, and its twin's prompt, which a model without proposals is trained on. */
export interface ExampleRow {
  id: string
  prompt: Message[]
  target: string
  twin?: Message[]
}

/**
 * Nothing, the example's proposals, and those of the next example (the first follows the last). Without proposals the
 * prompt is the twin's, or what a proposer reads: the system message stays, for a chat template may add one of its own.
 * @param rows examples with proposals: their first message is the system message that holds them
 */
export function casesOfExamples(rows: ExampleRow[]): ScoredCase[] {
  return rows.map(({ id, prompt, target, twin }, i) => {
    const turns = prompt.slice(1)
    const foreign = rows[(i + 1) % rows.length]?.prompt[0] as Message
    return {
      id,
      target,
      prompts: {
        'no proposals': twin ?? proposerMessages(defaultTemplate, turns),
        proposals: prompt,
        ...(rows.length > 1 && { 'proposals of another question': [foreign, ...turns] }),
      },
    }
  })
}

/** A prompt with what was answered to it, and the aggregation of that. */
export interface ResponseRow {
  prompt: Message[]
  responses: string[]
  target: string
}

const WORDS = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight']

/**
 * Nothing, one proposal, three, all, and all of the next question. Which ones a row is shown turns with its place: one is
 * that at the row's number modulo their count, three are it and those after it.
 * @param rows with equally many responses each
 */
export function casesOfResponses(rows: ResponseRow[]): ScoredCase[] {
  const count = rows[0]?.responses.length ?? 0
  return rows.map(({ prompt, responses, target }, i) => {
    const foreign = rows[(i + 1) % rows.length]?.responses ?? []
    const show = (texts: string[]) =>
      aggregatorMessages(
        defaultTemplate,
        prompt,
        texts.map((text) => ({ text })),
      )
    const from = (n: number) =>
      show(Array.from({ length: n }, (_, k) => responses[(i + k) % count] as string))
    const name = (n: number) => `${WORDS[n] ?? n} proposal${n === 1 ? '' : 's'}`
    const some = [1, 3].filter((n) => n < count).map((n) => [name(n), from(n)] as const)
    return {
      id: String(i),
      target,
      prompts: {
        'no proposals': proposerMessages(defaultTemplate, prompt),
        ...Object.fromEntries(some),
        [name(count)]: show(responses),
        ...(rows.length > 1 && { [`${name(count)} of another question`]: show(foreign) }),
      },
    }
  })
}
