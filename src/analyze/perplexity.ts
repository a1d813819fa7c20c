/**
 * Measures how likely a target is for a model that saw certain proposals before: the low-perplexity region of arXiv
 * 2501.11877, section 6.1. Perplexity is exp of the mean negative log probability of all targets' tokens, in nats.
 */
import type { Engine, Message, TokenScore } from '../core/provider/engine.ts'
import { UsageError } from '../core/provider/errors.ts'
import { aggregatorMessages, proposerMessages } from '../core/templates.ts'
import { randomFrom } from '../lib/random.ts'
import { bootstrapMean, bootstrapRatio, type Interval, mean, type Ratio } from '../lib/statistics.ts'
import { paperTemplate } from '../plans/wordings.ts'
import { findCopyable, markTokens } from './copyable.ts'

/** One target, with the prompt of each condition. The first condition is the one that the others are compared with. */
export interface ScoredCase {
  id: string
  target: string
  prompts: Record<string, Message[]>
  /** The texts that the target may copy from. */
  drafts: string[]
}

/** The number of a target's tokens, and the sum of their negative log probabilities in nats. */
export interface TargetScore {
  tokens: number
  nats: number
  /** The part of both that is copied from a draft; absent if the engine's tokens do not make up the target. */
  copied?: { tokens: number; nats: number }
}

/** The score of a case's target in each condition. */
export type CaseScore = { id: string } & Record<'scores', Record<string, TargetScore>>

/** One condition over all cases. */
export interface ConditionSummary {
  condition: string
  perplexity: number
  /** Mean over cases of nats per token, minus those of the first condition. Negative: more likely. Null in the first. */
  difference: number | null
  /** 95 % interval of the difference, over cases. */
  interval: Interval | null
  /** Share (0 to 1) of cases in which the target is more likely than in the first condition. */
  lower: number | null
  /** Tokens that stand in a draft (in a run of four words), and all others. Null if they are not known. */
  copied: PartSummary | null
  fresh: PartSummary | null
}

/** A part of the targets' tokens in one condition. */
export interface PartSummary {
  /** Cases whose tokens of this part are known. */
  cases: number
  /** Over all cases. */
  tokens: number
  /** Mean over these tokens. */
  nats: number
  /** Nats per token, minus those of the first condition; null in the first. */
  difference: number | null
  /** 95 % interval of the difference: the cases are resampled. */
  interval: Interval | null
}

/**
 * Scores a target after a prompt.
 * @param drafts texts that the target may copy from
 * @throws UsageError if the engine cannot score
 */
export async function scoreTarget(
  engine: Engine,
  prompt: Message[],
  { target, drafts }: Pick<ScoredCase, 'target' | 'drafts'>,
): Promise<TargetScore> {
  if (!engine.score) throw new UsageError(`${engine.id} gives no log probabilities; use an embedded model`)
  const found = await engine.score(prompt, target)
  const marks = markTokens(
    found.map(({ token }) => token),
    target,
    findCopyable(target, drafts),
  )
  const add = (scores: TokenScore[]) => ({
    tokens: scores.length,
    nats: scores.reduce((sum, { logprob }) => sum - logprob, 0),
  })
  return { ...add(found), ...(marks && { copied: add(found.filter((_, i) => marks[i])) }) }
}

/** Computes perplexities, and compares each condition with the first, paired by case. All cases must have a condition. */
export function summarize(cases: CaseScore[], seed = 0): ConditionSummary[] {
  const all = Object.keys(cases[0]?.scores ?? {})
  const conditions = all.filter((condition) => cases.every(({ scores }) => scores[condition]))
  const scoreOf = (of: CaseScore, condition: string) => of.scores[condition] as TargetScore
  const rate = (of: CaseScore, condition: string) => {
    const { nats, tokens } = scoreOf(of, condition)
    return nats / tokens
  }
  return conditions.map((condition, i): ConditionSummary => {
    const sum = (name: 'tokens' | 'nats') =>
      cases.reduce((total, of) => total + scoreOf(of, condition)[name], 0)
    const perplexity = Math.exp(sum('nats') / sum('tokens'))
    const parts = {
      copied: summarizePart(cases, [condition, conditions[0] as string], (score) => score.copied),
      fresh: summarizePart(cases, [condition, conditions[0] as string], freshOf),
    }
    if (i === 0) return { condition, perplexity, difference: null, interval: null, lower: null, ...parts }
    const differences = cases.map((of) => rate(of, condition) - rate(of, conditions[0] as string))
    return {
      condition,
      perplexity,
      difference: mean(differences),
      interval: bootstrapMean(differences, { random: randomFrom(seed) }) ?? null,
      lower: differences.filter((d) => d < 0).length / differences.length,
      ...parts,
    }
  })
}

type Part = Pick<TargetScore, 'tokens' | 'nats'>

function freshOf({ tokens, nats, copied }: TargetScore): Part | undefined {
  return copied && { tokens: tokens - copied.tokens, nats: nats - copied.nats }
}

/** Summarizes a part of the tokens in a condition, compared with the first one. */
function summarizePart(
  cases: CaseScore[],
  [condition, first]: [string, string],
  partOf: (score: TargetScore) => Part | undefined,
): PartSummary | null {
  const known = cases.flatMap(({ scores }): [Part, Part][] => {
    const [part, before] = [condition, first].map((name) => partOf(scores[name] as TargetScore))
    return part && before ? [[part, before]] : []
  })
  const tokens = known.reduce((sum, [part]) => sum + part.tokens, 0)
  if (tokens === 0) return null
  const mean = known.reduce((sum, [part]) => sum + part.nats, 0) / tokens
  const sums = { cases: known.length, tokens, nats: mean }
  if (condition === first) return { ...sums, difference: null, interval: null }
  const drops = known.map(([part, before]): Ratio => [part.nats - before.nats, part.tokens])
  const difference = drops.reduce((sum, [nats]) => sum + nats, 0) / tokens
  return {
    ...sums,
    difference,
    interval: bootstrapRatio(drops, { random: randomFrom(0) }) ?? null,
  }
}

/** A training example as `aft data build` writes it. `twin` is the prompt of the same example without proposals. */
export interface ExampleRow {
  id: string
  proposals: string[]
  prompt: Message[]
  target: string
  /** Index of the message that holds the proposals. */
  at: number
  twin?: Message[]
}

/**
 * Makes three conditions: no proposals, the example's proposals, and those of the next example (after the last comes the
 * first). Without proposals the prompt is the twin's, or a proposer's. In the published form this one has a system message
 * too, because a chat template may add its own to a prompt without one.
 * @param rows examples with proposals
 */
export function casesOfExamples(rows: ExampleRow[]): ScoredCase[] {
  return rows.map(({ id, prompt, target, at, twin, proposals }, i) => {
    const turns = prompt.toSpliced(at, 1)
    const next = rows[(i + 1) % rows.length]
    const foreign = next?.prompt[next.at] as Message
    return {
      id,
      target,
      drafts: proposals,
      prompts: {
        'no proposals': twin ?? (at === 0 ? proposerMessages(paperTemplate, turns) : turns),
        proposals: prompt,
        ...(rows.length > 1 && { 'proposals of another question': turns.toSpliced(at, 0, foreign) }),
      },
    }
  })
}

/** A prompt with its responses, and their aggregation as the target. */
export interface ResponseRow {
  prompt: Message[]
  responses: string[]
  target: string
}

const WORDS = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight']

/**
 * Makes the conditions: no proposals, one, three, all, and all of the next question. The row's number modulo the count
 * of responses decides which one comes first; three are that one and the next two.
 * @param rows all with the same number of responses
 * @param options `each` shows every number of them, and all in reverse order
 */
export function casesOfResponses(rows: ResponseRow[], { each = false } = {}): ScoredCase[] {
  const count = rows[0]?.responses.length ?? 0
  return rows.map(({ prompt, responses, target }, i) => {
    const foreign = rows[(i + 1) % rows.length]?.responses ?? []
    const show = (texts: string[]) =>
      aggregatorMessages(
        paperTemplate,
        prompt,
        texts.map((text) => ({ text })),
      )
    const from = (n: number) =>
      show(Array.from({ length: n }, (_, k) => responses[(i + k) % count] as string))
    const name = (n: number) => `${WORDS[n] ?? n} proposal${n === 1 ? '' : 's'}`
    const numbers = each ? Array.from({ length: count - 1 }, (_, k) => k + 1) : [1, 3]
    const some = numbers.filter((n) => n < count).map((n) => [name(n), from(n)] as const)
    return {
      id: String(i),
      target,
      drafts: responses,
      prompts: {
        'no proposals': proposerMessages(paperTemplate, prompt),
        ...Object.fromEntries(some),
        [name(count)]: show(responses),
        ...(each && { [`${name(count)}, reversed`]: show(responses.toReversed()) }),
        ...(rows.length > 1 && { [`${name(count)} of another question`]: show(foreign) }),
      },
    }
  })
}
