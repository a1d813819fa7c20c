/** The experiments on training. */
import type { GroupDifference, GroupFigure, GroupSummary } from '../../src/analyze/convergence-groups.ts'
import type { ConditionSummary } from '../../src/analyze/perplexity.ts'
import type { Interval } from '../../src/lib/statistics.ts'
import { figureTitles } from '../../src/report/convergence-figures.ts'
import type { Saved } from './speed-table.ts'
import { draw, percent, range, showShare } from './text.ts'

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

/** A difference with its interval; nothing if there is none, as in the first condition. */
function showChange(of: { difference: number | null; interval: Interval | null } | null): string {
  if (of?.difference == null || !of.interval) return ''
  return `${of.difference.toFixed(3)} (${range(of.interval, (x) => x.toFixed(3))})`
}

export function tellPerplexity({ n, tokens, model, conditions }: Perplexity): string {
  return [
    `How well does an untrained model (${model}) expect a better answer, if it sees other answers first? The prompts are the first ${n} of AlpacaEval whose target and five proposals have at most 3,000 characters together. The target is Together-MoA's answer, ${tokens.toLocaleString('en-US')} tokens in all. Lower perplexity is better. Differences are paired by example; 95 % intervals are over examples.`,
    draw(
      [
        'shown before the target',
        'perplexity',
        'difference to no proposals, nats per token',
        'share of examples with lower perplexity',
      ],
      conditions.map((one) => [
        one.condition,
        one.perplexity.toFixed(2),
        showChange(one),
        one.lower === null ? '' : `${percent(one.lower)} %`,
      ]),
    ),
  ].join('\n\n')
}

interface LowPerplexity extends Saved {
  note?: string
  /** Name of the file with the figures of every row. */
  rows: string
  perplexity: {
    name: string
    n: number
    tokens: number
    conditions: (ConditionSummary & { share_of_copied: number | null })[]
  }[]
}

const measures: Record<string, string> = {
  dose: 'untrained',
  best: 'untrained, drafts of the two best systems',
  worst: 'untrained, drafts of the two weakest systems',
  'aft-trained': 'trained on other rows with drafts',
  'sft-trained': 'trained on other rows without drafts',
}

export function tellLowPerplexity({ perplexity, rows, note = '' }: LowPerplexity): string {
  const titleOf = (name: string) => {
    const [kind = '', title = name] = Object.entries(measures).find(([kind]) => name.endsWith(kind)) ?? []
    const model = name.slice(0, -kind.length - 1)
    return model ? `${model}, ${title}` : title
  }
  const order = (name: string) => Object.keys(measures).findIndex((kind) => name.endsWith(kind))
  return [
    "Where does the gain of likelihood come from? Targets are Together-MoA's answers to AlpacaEval, drafts those of other systems. *Copied* are the target's tokens in a run of four words that a draft has too; all others are *new*. Differences are in nats per token, to no proposals in the same measurement: of all tokens the mean over rows, in which short targets count as much as long ones; of copied and new tokens over all of them. 95 % intervals are over rows. The last column is the part of the fall, over all tokens, that copied tokens have.",
    draw(
      [
        'model',
        'shown',
        'perplexity',
        'all tokens',
        'copied tokens',
        'new tokens',
        'copied part of the fall',
      ],
      perplexity
        .toSorted((a, b) => order(a.name) - order(b.name))
        .flatMap(({ name, n, conditions }) =>
          conditions.map((condition, i) => [
            i === 0 ? `${titleOf(name)}; ${n} rows` : '',
            condition.condition,
            condition.perplexity.toFixed(2),
            showChange(condition),
            showChange(condition.copied),
            showChange(condition.fresh),
            condition.share_of_copied === null || /another/.test(condition.condition)
              ? ''
              : `${percent(condition.share_of_copied)} %`,
          ]),
        ),
    ),
    note,
    `The figures of every row are in [\`${rows}\`](../bench/results/${rows}).`,
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
    `${groups.map(({ group, runs }) => `${runs.length} runs of ${group}`).join(', ')}: the same rows in the same order, with drafts (aft) and without (sft). The rows are one half of GSM8K's test questions with four models' solutions. Figures are means over seeds; the 95 % intervals (Student's t) are over seeds only, not over the few held-out rows. Training with drafts is not faster: the loss is lower from the start, but it needs at least as many steps, and more tokens, to fall.`,
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
  aft: 'to write a right draft after it saw all four, in the short runs',
  compare:
    'a voting rule: give the answer that most drafts have; if votes are equal, the answer of the draft that writes the most numbers. It learned to write the counts first, in two stages: questions as they come, then more ties',
}

export function tellChoosing({ n, train, table }: Choosing): string {
  const trained = table.flatMap(({ name, seeds = [] }) =>
    learned[name]
      ? `\n- *${name}* has learned ${learned[name]}; ${seeds.length === 1 ? 'one seed' : `${seeds.length} seeds`}.`
      : [],
  )
  const share = (value?: number) => (value === undefined ? '' : percent(value))
  return [
    `Accuracy on ${n} questions of GSM8K's test set that were not trained on. Each has four shuffled, anonymous drafts, or fewer if some were empty or equal. The models were trained on the other half of the same test set, so they are for measuring only. Answers are greedy. 95 % intervals are over questions, and differences are paired.`,
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
        row.name.replace(/^always /, 'always the draft of '),
        `${percent(row.accuracy)} (${range(row.interval, percent)})`,
        showDifference(row),
        share(row.answers_of_a_draft),
        share(row.answers_of_most),
      ]),
    ),
    `What *compare* has learned is the rule, which twenty lines of code follow without an error. It has not learned to check mathematics. The rule does not know the right answer. On the ${train.n} questions of the training half it is ${showDifference(train.rule)} points above the majority. Six versions of the training were tried, and the later ones were chosen after looking at answers to these test questions. On 160 questions that no earlier try had answered, the gain is smaller than its uncertainty ([figures](../bench/results/choosing-whole-half.json), LOG.md).`,
    ...table.flatMap(({ name, seeds = [], compared: c }) =>
      c
        ? [
            `The seeds of *${name}* are ${seeds.map(showDifference).join(' and ')} points above the majority. Of the ${c.n.toLocaleString('en-US')} comparisons that *${name}* wrote:`,
            [
              `- ${percent(c.votes_right)} % count all votes right, and ${percent(c.most_voted_right)} % name the answers with the most votes;`,
              `- ${percent(c.rule_followed)} % give the answer that the rule gives, and ${percent(c.first_trusted)} % the answer of the first draft.`,
            ].join('\n'),
            draw(
              ['votes (2-1-1: two drafts agree, two differ)', 'questions', 'rule followed %'],
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
  return showShare(mean, interval)
}
