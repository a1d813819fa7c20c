/** The experiments on training, as README shows them. */
import {
  figureTitles,
  type GroupDifference,
  type GroupFigure,
  type GroupSummary,
} from '../../src/analyze/convergence-groups.ts'
import type { ConditionSummary } from '../../src/analyze/perplexity.ts'
import type { Interval } from '../../src/lib/statistics.ts'
import type { Saved } from './speed.ts'
import { draw, percent, range } from './text.ts'

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
interface Difference {
  over_majority: number
  over_majority_interval: Interval
}

interface Choosing extends Saved {
  n: number
  /** Of the questions that train. */
  train: { n: number; rule: Difference }
  table: {
    name: string
    accuracy: number
    interval: Interval
    over_majority?: number
    over_majority_interval?: Interval
    answers_of_a_draft?: number
    answers_of_most?: number
    seeds?: Difference[]
    compared?: {
      n: number
      votes_right: number
      most_voted_right: number
      rule_followed: number
      by_votes: { split: string; n: number; rule_followed: number }[]
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
  'sft-long': 'the solutions without drafts too, in as many steps and at the same rate as the next',
  aft: 'to write a right draft after all four, in the short runs',
  compare:
    'to count the votes of drafts that are shown behind their answer and how many numbers they write, to take the one with most numbers where votes are equal, and to give the answer to trust: from questions as they come, then from more ties',
}

export function tellChoosing({ n, train, table }: Choosing): string {
  const trained = table.flatMap(({ name, seeds = [] }) =>
    learnt[name] ? `; *${name}* learnt ${learnt[name]} (seeds: ${seeds.length})` : [],
  )
  const share = (value?: number) => (value === undefined ? '' : percent(value))
  return [
    `Accuracy on ${n} questions of GSM8K's test set that were not trained on, four shuffled and anonymous drafts each (fewer where some were empty or the same). What was trained here was trained on the other half of that test set: it is for measuring only. Of the models *untrained* is SmolLM2-135M-Instruct itself${trained.join('')}. Greedy answers. Intervals of 95 % over questions; the difference is paired.`,
    draw(
      ['who answers', 'accuracy %', 'over the majority', 'answers of a draft %', 'of the most frequent %'],
      table.map((row) => [
        row.name,
        `${percent(row.accuracy)} (${range(row.interval, percent)})`,
        showDifference(row),
        share(row.answers_of_a_draft),
        share(row.answers_of_most),
      ]),
    ),
    `The taught rule reads no gold answer. On the ${train.n} questions that train it has ${showDifference(train.rule)} over the majority. How the comparison is worded, and how many ties are trained on, was changed after looking at answers to these questions.`,
    ...table.flatMap(({ name, seeds = [], compared: c }) =>
      c
        ? `By seed ${name} has ${seeds.map(showDifference).join(' and ')} over the majority. Of ${c.n.toLocaleString('en-US')} comparisons that ${name} wrote, ${percent(c.votes_right)} % have all votes right and ${percent(c.most_voted_right)} % the answers of most votes. ${percent(c.rule_followed)} % give the answer that the taught rule gives, and ${percent(c.first_trusted)} % the first draft's. By how the votes of the drafts fall the rule is followed in ${c.by_votes.map((v) => `${percent(v.rule_followed)} % (${v.split}, ${v.n} answers)`).join(', ')}.`
        : [],
    ),
  ].join('\n\n')
}

function showDifference({
  over_majority: mean,
  over_majority_interval: interval,
}: Partial<Difference>): string {
  return mean === undefined || !interval ? '' : `${percent(mean)} (${range(interval, percent)})`
}
