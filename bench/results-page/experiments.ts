/** The experiments on training. */
import type { GroupDifference, GroupFigure, GroupSummary } from '../../src/analyze/convergence-groups.ts'
import type { ConditionSummary } from '../../src/analyze/perplexity.ts'
import type { Interval } from '../../src/lib/statistics.ts'
import { figureTitles } from '../../src/report/convergence-figures.ts'
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
    `How well a model expects a better answer, depending on what stands before it. The first ${n} AlpacaEval prompts whose target and five proposals have at most 3,000 characters together; Together-MoA's answer is the target; ${tokens.toLocaleString('en-US')} tokens; ${model}, untrained. Differences are paired by example; 95 % intervals are over examples.`,
    draw(
      ['before the target', 'perplexity', 'nats per token compared with none', 'lower on'],
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
    `${groups.map(({ group, runs }) => `${runs.length} runs of ${group}`).join(', ')}: the same rows in the same order, with drafts (aft) and without (sft). The rows are one half of GSM8K's questions with four models' solutions. Means over seeds, 95 % intervals by Student's t.`,
    draw(
      ['', ...groups.map(({ group }) => group), ...differences.map((d) => `${d.group} minus ${d.beside}`)],
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

const learned: Record<string, string> = {
  sft: 'the solutions without drafts, in the short runs of the experiment above',
  'sft-long': 'the solutions without drafts, in as many steps and at the same rate as the next',
  aft: 'to write a right draft after all four, in the short runs',
  compare:
    'to count how many drafts have each answer, to count the numbers that a tied draft writes, and to give the answer with the most votes (the draft with the most numbers if votes are equal); first from questions as they come, then from more ties',
}

export function tellChoosing({ n, train, table }: Choosing): string {
  const trained = table.flatMap(({ name, seeds = [] }) =>
    learned[name] ? `\n- *${name}* has learned ${learned[name]} (seeds: ${seeds.length}).` : [],
  )
  const share = (value?: number) => (value === undefined ? '' : percent(value))
  return [
    `Accuracy on ${n} questions of GSM8K's test set that were not trained on. Each has four shuffled, anonymous drafts; fewer if some were empty or equal. The models were trained on the other half of the same test set, so they are for measuring only. Answers are greedy, 95 % intervals are over questions, and the difference is paired.`,
    `- *untrained* is SmolLM2-135M-Instruct itself.${trained.join('')}`,
    draw(
      [
        'who answers',
        'accuracy %',
        'points above the majority',
        'gives the answer of a draft %',
        'gives the most frequent answer %',
      ],
      table.map((row) => [
        row.name,
        `${percent(row.accuracy)} (${range(row.interval, percent)})`,
        showDifference(row),
        share(row.answers_of_a_draft),
        share(row.answers_of_most),
      ]),
    ),
    `What *compare* has learned is a rule that twenty lines of code follow without fault. It has not learned to check mathematics. The rule reads no gold answer. On the ${train.n} questions of the training half the rule is ${showDifference(train.rule)} points above the majority. The wording of the comparison and the share of ties were changed after looking at answers to these test questions.`,
    ...table.flatMap(({ name, seeds = [], compared: c }) =>
      c
        ? [
            `By seed *${name}* is ${seeds.map(showDifference).join(' and ')} points above the majority. Of the ${c.n.toLocaleString('en-US')} comparisons that it wrote:`,
            [
              `- ${percent(c.votes_right)} % count all votes right, and ${percent(c.most_voted_right)} % name the answers with the most votes;`,
              `- ${percent(c.rule_followed)} % give the answer that the rule gives, and ${percent(c.first_trusted)} % that of the first draft.`,
            ].join('\n'),
            draw(
              ['votes per answer', 'answers', 'rule followed %'],
              c.by_votes.map((v) => [v.split, `${v.n}`, percent(v.rule_followed)]),
            ),
          ]
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
