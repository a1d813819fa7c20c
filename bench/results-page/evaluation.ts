/** The tables of evaluations and experiments: one section per kind of result. */
import type { Changes, ControlRow } from '../../src/eval/control-table.ts'
import { renameEarlier } from '../../src/files/result-shapes.ts'
import type { Interval } from '../../src/lib/statistics.ts'
import { tellChoosing, tellConvergence, tellPerplexity } from './experiments.ts'
import type { Saved, WinRates } from './speed.ts'
import { draw, percent, range } from './text.ts'

interface Score {
  mean: number
  interval: Interval
}
interface Controls extends Saved {
  task: string
  metrics: string[]
  n: number
  left_out: Record<string, number>
  model: string
  settings: Record<string, unknown>
  agreement: number
  judge_position: number[] | null
  seconds: number
  rows: ControlRow[]
  changes: Changes[]
}
interface MtBench extends Saved {
  n: number
  model: string
  judge: string
  settings: Record<string, unknown>
  turn_1: (Score & { n: number }) | null
  turn_2: (Score & { n: number }) | null
  both: (Score & { n: number }) | null
  categories: { category: string; turn_1: number | null; turn_2: number | null; both: number | null }[]
  unreadable: unknown[]
  asked_again: number
}

const chance = (p: number) => (p < 0.005 ? '< 0.01' : p.toFixed(2))
const whole = (value: number | null) => (value === null ? '?' : Math.round(value).toLocaleString('en-US'))

/** The section of a result, by its file's name. */
export const sections: [title: string, pattern: RegExp, tell: (saved: never) => string][] = [
  [
    'AlpacaEval 2: win rates of published annotations',
    /^win-rate/,
    ({ systems, gap }: WinRates) =>
      [
        draw(
          ['system', 'win rate (published)', 'length-controlled (published)'],
          systems.map(({ model, published, mine }) => [
            model,
            `${mine.win_rate.toFixed(2)} (${published.winRate.toFixed(2)})`,
            `${mine.lc_win_rate.toFixed(2)} (${published.lc.toFixed(2)})`,
          ]),
        ),
        `With reconstructed files the length-controlled rates differ from the published ones by ${gap.lc.mean.toFixed(3)} on average and ${gap.lc.max.toFixed(3)} at most. For the Python package it is ${gap.peerLc.mean.toFixed(3)} and ${gap.peerLc.max.toFixed(3)}.`,
      ].join('\n\n'),
  ],
  ['GSM8K and IFEval: every control', /^evaluation-(gsm8k|ifeval)/, tellControls],
  ['Width and depth', /^evaluation-grid/, tellGrid],
  ['MT-Bench, the plumbing', /^evaluation-mt-bench/, tellMtBench],
  ['Experiment: does a better answer follow from drafts?', /^experiment-perplexity/, tellPerplexity],
  ['Experiment: does training with drafts learn faster?', /^experiment-convergence/, tellConvergence],
  ['Experiment: does a trained aggregator pick better than a vote?', /^experiment-choosing/, tellChoosing],
]

function tellControls({
  task,
  metrics,
  n,
  left_out,
  model,
  settings,
  seconds,
  agreement,
  ...more
}: Controls): string {
  const { rows, changes, judge_position } = more
  const left = Object.entries(left_out).map(([why, count]) => `; ${count} rows of the file left out: ${why}`)
  const changed = draw(
    [
      'aggregator',
      'rescued (all proposals wrong)',
      'broke (all right)',
      'kept',
      'lost',
      '4-grams copied %',
      'nearest proposal by place %',
    ],
    changes.map((c) => [
      c.control === 'trained' ? 'trained' : 'prompted',
      `${c.rescued} of ${c.all_wrong}`,
      `${c.broke} of ${c.all_right}`,
      `${c.kept}`,
      `${c.lost}`,
      percent(c.copy_rate),
      c.position.map(percent).join(', '),
    ]),
  )
  const judged = judge_position
    ? ` By place the judge picked the proposals in ${judge_position.map(percent).join(', ')} % of cases.`
    : ''
  return [
    `${task}, ${n} prompts, ${model}, ${settings.width} × ${settings.depth}, ${settings.maxTokens} tokens per completion, ${Math.round(seconds / 60)} minutes${left.join('')}.`,
    draw(
      [
        'control',
        ...metrics.map((metric) => `${metric} %`),
        'p',
        'calls',
        'input',
        'prefilled',
        'output',
        's',
        'chars',
      ],
      rows.map(renameEarlier).map((row) => [
        row.title,
        ...metrics.map((metric) => {
          const { mean, interval } = row.scores[metric] as Score
          return `${percent(mean)} (${range(interval, percent)})`
        }),
        row.against_single ? chance(row.against_single.p) : '',
        row.calls.toFixed(1),
        whole(row.input_tokens),
        whole(row.prefilled_tokens),
        whole(row.output_tokens),
        row.seconds.toFixed(0),
        whole(row.mean_length_chars),
      ]),
    ),
    `What aggregation changed, in questions. Proposals agree by ${percent(agreement)} %.${judged}`,
    changed,
  ].join('\n\n')
}

function tellGrid({ task, metrics, n, model, settings, rows }: Controls): string {
  return [
    `${task}, ${n} prompts, ${model}, ${settings.maxTokens} tokens per completion; points share the samples that they have in common.`,
    draw(
      ['width × depth', ...metrics.map((metric) => `${metric} %`), 'calls', 'prefilled', 'output', 's'],
      rows.map(renameEarlier).map((row) => [
        row.title,
        ...metrics.map((metric) => {
          const { mean, interval } = row.scores[metric] as Score
          return `${percent(mean)} (${range(interval, percent)})`
        }),
        row.calls.toFixed(0),
        whole(row.prefilled_tokens),
        whole(row.output_tokens),
        row.seconds.toFixed(0),
      ]),
    ),
  ].join('\n\n')
}

function tellMtBench({
  n,
  model,
  judge,
  settings,
  turn_1,
  turn_2,
  both,
  categories,
  unreadable,
  asked_again: again,
}: MtBench): string {
  const score = (value: number | null) => value?.toFixed(2) ?? 'none'
  const all = (
    [
      ['turn 1', turn_1],
      ['turn 2', turn_2],
      ['both', both],
    ] as const
  ).map(
    ([name, of]) =>
      `${name} ${of ? `${of.mean.toFixed(2)} (${range(of.interval)}, ${of.n} ratings)` : 'none'}`,
  )
  return [
    `This checks the plumbing, not quality: ${judge} cannot judge. ${n} questions of two turns, ${model}, ${settings.width} × ${settings.depth}, ${settings.maxTokens} tokens; ${all.join('; ')}; ${unreadable.length} turns have no rating, ${again} have one only after asking for it alone.`,
    draw(
      ['category', 'turn 1', 'turn 2', 'both'],
      categories.map((c) => [c.category, score(c.turn_1), score(c.turn_2), score(c.both)]),
    ),
  ].join('\n\n')
}
