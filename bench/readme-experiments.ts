/** The experiments on training, as README shows them. */
import {
  figureTitles,
  type GroupDifference,
  type GroupFigure,
  type GroupSummary,
} from '../src/analysis/convergence-groups.ts'
import type { ConditionSummary } from '../src/analysis/perplexity.ts'
import type { Interval } from '../src/lib/statistics.ts'
import type { Saved } from './readme-speed.ts'
import { draw, percent, range } from './readme-text.ts'

interface Perplexity extends Saved {
  n: number
  tokens: number
  model: string
  conditions: ConditionSummary[]
}
interface Convergence extends Saved {
  groups: GroupSummary[]
  differences: GroupDifference[]
}
interface Choosing extends Saved {
  n: number
  table: {
    name: string
    accuracy: number
    interval: Interval
    over_majority?: number
    over_majority_interval?: Interval
    answers_of_a_draft?: number
    answers_of_most?: number
    seeds?: number[]
    compared?: {
      n: number
      votes_right: number
      most_voted_right: number
      rule_followed: number
      rule_followed_without_tie: number | null
      rule_followed_at_tie: number | null
      first_trusted: number
    }
  }[]
}

export function tellPerplexity({ n, tokens, model, conditions }: Perplexity): string {
  return [
    `How expected a better answer is, by what is shown before it: the first ${n} AlpacaEval prompts whose target and five proposals have at most 3,000 characters together, Together-MoA's answer as the target, ${tokens.toLocaleString('en-US')} tokens, ${model}, untrained. Differences are paired by example, intervals of 95 % over examples.`,
    draw(
      ['before the target', 'perplexity', 'nats a token beside none', 'lower on'],
      conditions.map(({ condition, perplexity, difference, interval, lower }) => [
        condition,
        perplexity.toFixed(2),
        difference === null || interval === null
          ? ''
          : `${difference.toFixed(3)} (${range(interval, (x) => x.toFixed(3))})`,
        lower === null ? '' : `${percent(lower)} %`,
      ]),
    ),
  ].join('\n\n')
}

export function tellConvergence({ groups, differences }: Convergence): string {
  const show = (figure: GroupFigure | null, digits: number) => {
    if (!figure) return ''
    const { mean, interval } = figure
    return `${mean.toFixed(digits)}${interval ? ` (${range(interval, (x) => x.toFixed(digits))})` : ''}`
  }
  const steps = groups[0]?.held_out.map(({ step }) => step) ?? []
  return [
    `${groups.map(({ group, runs }) => `${runs.length} runs of ${group}`).join(', ')}: the same rows in the same order with and without drafts, one half of the questions of GSM8K's four-model solutions. Means over seeds, 95 % intervals by Student's t.`,
    draw(
      ['', ...groups.map(({ group }) => group), ...differences.map((d) => `${d.group} less ${d.beside}`)],
      [
        ...steps.map((step) => [
          `held-out loss at step ${step}; share of the improvement`,
          ...groups.map(({ held_out }) => {
            const point = held_out.find((one) => one.step === step)
            return point
              ? `${point.loss.mean.toFixed(3)}; ${point.share ? percent(point.share.mean) : '?'} %`
              : ''
          }),
          ...differences.map(() => ''),
        ]),
        ...figureTitles.map(([name, title, digits]) => [
          title,
          ...[...groups, ...differences].map(({ figures }) => show(figures[name], digits)),
        ]),
      ],
    ),
  ].join('\n\n')
}

const learnt: Record<string, string> = {
  sft: 'the solutions without drafts, in the short runs of the experiment before',
  aft: 'to write a right draft after all four, in those too',
  compare:
    'to count the votes of drafts that are shown behind their answer and how many numbers they write, to take the one with most at a tie, and to give the answer to trust',
}

export function tellChoosing({ n, table }: Choosing): string {
  const trained = table.flatMap(({ name, seeds = [] }) =>
    learnt[name] ? `; *${name}* learnt ${learnt[name]} (seeds: ${seeds.length})` : [],
  )
  const share = (value?: number | null) => (value == null ? '' : percent(value))
  return [
    `Accuracy on ${n} questions of GSM8K's test set that were not trained on, four shuffled and anonymous drafts each. What was trained here was trained on the other half of that test set: it is for measuring only. Of the models *untrained* is SmolLM2-135M-Instruct itself${trained.join('')}. Greedy answers. Intervals of 95 % over questions; the difference is paired.`,
    draw(
      ['who answers', 'accuracy %', 'over the majority', 'answers of a draft %', 'of the most frequent %'],
      table.map((row) => [
        row.name,
        `${percent(row.accuracy)} (${range(row.interval, percent)})`,
        row.over_majority === undefined || !row.over_majority_interval
          ? ''
          : `${percent(row.over_majority)} (${range(row.over_majority_interval, percent)})`,
        share(row.answers_of_a_draft),
        share(row.answers_of_most),
      ]),
    ),
    ...table.flatMap(({ name, compared: c }) =>
      c
        ? `Of ${c.n} comparisons that ${name} wrote, ${percent(c.votes_right)} % have all votes right and ${percent(c.most_voted_right)} % the answers of most votes. ${percent(c.rule_followed)} % give the answer that the taught rule gives (${share(c.rule_followed_without_tie)} % where one answer has most votes, ${share(c.rule_followed_at_tie)} % where several have), and ${percent(c.first_trusted)} % the first draft's.`
        : [],
    ),
  ].join('\n\n')
}
