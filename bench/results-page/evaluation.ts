/** The tables of evaluations and experiments: one section per kind of result. */
import type { Changes, ControlRow } from '../../src/eval/control-table.ts'
import { renameEarlier } from '../../src/files/result-shapes.ts'
import type { Interval } from '../../src/lib/statistics.ts'
import { tellChoosing, tellConvergence, tellLowPerplexity, tellPerplexity } from './experiments.ts'
import { tellRewards, tellRoutes, tellRoutesGrid } from './puzzles.ts'
import type { WinRates } from './speed.ts'
import type { Saved } from './speed-table.ts'
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

const places = (count: number) => `proposal ${Array.from({ length: count }, (_, i) => i + 1).join(', ')}`
const chance = (p: number) => (p < 0.005 ? '< 0.01' : p.toFixed(2))
const taskTitles: Record<string, string> = { gsm8k: 'GSM8K', ifeval: 'IFEval' }
const whole = (value: number | null) => (value === null ? '?' : Math.round(value).toLocaleString('en-US'))

/** The section of a result, by its file's name. */
export const sections: [title: string, pattern: RegExp, tell: (saved: never) => string][] = [
  [
    'AlpacaEval 2: published win rates, computed again',
    /^win-rate/,
    ({ systems, gap }: WinRates) =>
      [
        draw(
          ['system', 'win rate; published', 'length-controlled; published'],
          systems.map(({ model, published, mine }) => [
            model,
            `${mine.win_rate.toFixed(2)}; ${published.winRate.toFixed(2)}`,
            `${mine.lc_win_rate.toFixed(2)}; ${published.lc.toFixed(2)}`,
          ]),
        ),
        `The benchmark's two files for the length control were not at hand, so both programs used reconstructed ones. The rates of \`aft\` differ from the published ones by ${gap.lc.mean.toFixed(3)} on average and by ${gap.lc.max.toFixed(3)} at most, those of the Python package by ${gap.peerLc.mean.toFixed(3)} and ${gap.peerLc.max.toFixed(3)}.`,
      ].join('\n\n'),
  ],
  [
    'GSM8K and IFEval: aggregation compared with other uses of the model',
    /^evaluation-(gsm8k|ifeval)/,
    tellControls,
  ],
  ['Width and depth', /^evaluation-grid/, tellGrid],
  ['MT-Bench: only whether it runs', /^evaluation-mt-bench/, tellMtBench],
  ['Experiment: puzzles that one pass cannot solve', /^experiment-routes/, tellRoutes],
  ['Experiment: more drafts, more layers, other drafts', /^experiment-grid/, tellRoutesGrid],
  ['Experiment: learning from rewards', /^experiment-rewards/, tellRewards],
  ['Experiment: do drafts make a better answer more likely?', /^experiment-perplexity/, tellPerplexity],
  ['Experiment: which tokens gain?', /^experiment-low-perplexity/, tellLowPerplexity],
  ['Experiment: does training with drafts learn faster?', /^experiment-convergence/, tellConvergence],
  ['Experiment: what did the trained aggregator learn?', /^experiment-choosing/, tellChoosing],
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
  const left = Object.entries(left_out).map(
    ([why, count]) => ` ${count} rows of the file are left out: ${why}.`,
  )
  const changed = draw(
    [
      'aggregator',
      'rescued (all proposals wrong)',
      'broke (all right)',
      'kept',
      'lost',
      'runs of 4 words that are copied %',
      'answer is most like proposal 1, 2, … %',
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
    ? ` How often the judge picked ${places(judge_position.length)}: ${judge_position.map(percent).join(', ')} %.`
    : ''
  return [
    `### ${taskTitles[task] ?? task}, ${settings.width} × ${settings.depth}`,
    `${n} prompts, ${model}, at most ${settings.maxTokens} tokens per completion. It took ${Math.round(seconds / 60)} minutes.${left.join('')}`,
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
        row.against_single && row.control !== 'oracle' ? chance(row.against_single.p) : '',
        row.calls.toFixed(1),
        whole(row.input_tokens),
        whole(row.prefilled_tokens),
        whole(row.output_tokens),
        row.seconds.toFixed(0),
        whole(row.mean_length_chars),
      ]),
    ),
    `What aggregation changed, counted in questions. The proposals of a question share ${percent(agreement)} % of their word pairs.${judged}`,
    changed,
  ].join('\n\n')
}

function tellGrid({ task, metrics, n, model, settings, rows }: Controls): string {
  return [
    `${taskTitles[task.replace(/^scaling /, '')] ?? task}, ${n} prompts, ${model}, at most ${settings.maxTokens} tokens per completion. What two rows have in common was sampled once. ${n} prompts are few: see the width of the intervals.`,
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
    `The judge is ${judge}, which cannot judge: the ratings say nothing about quality. ${n} questions of two turns, ${model}, ${settings.width} × ${settings.depth}, at most ${settings.maxTokens} tokens. Ratings: ${all.join('; ')}. ${unreadable.length} turns have no rating. ${again} have one only because the judge was asked for the rating alone.`,
    draw(
      ['category', 'turn 1', 'turn 2', 'both'],
      categories.map((c) => [c.category, score(c.turn_1), score(c.turn_2), score(c.both)]),
    ),
  ].join('\n\n')
}
