/** Writes the figures of results as one CSV table: a line per number, with its cost if that is known. */

import type {
  AlpacaEvalResult,
  ConvergenceResult,
  MtBenchResult,
  PerplexityResult,
  Result,
  Results,
} from '../files/result-kinds.ts'
import type { Interval } from '../lib/statistics.ts'
import { rateInterval } from './rate-interval.ts'

/** Columns for what a row of controls took. */
const TAKES = [
  ...(['calls', 'input_tokens', 'prefilled_tokens', 'output_tokens'] as const),
  ...(['seconds', 'cost', 'mean_length_chars'] as const),
]
const COLUMNS = [...(['task', 'model', 'row', 'metric', 'mean', 'low', 'high', 'n'] as const), ...TAKES]

type Line = Partial<Record<(typeof COLUMNS)[number], string | number | null>>

/** Writes the table. It ends in a line break; unknown values are empty cells. */
export function toCsv(results: Results[]): string {
  const lines = results.flatMap(linesOf).map((line) => COLUMNS.map((name) => quote(line[name] ?? '')))
  return `${[COLUMNS, ...lines].map((line) => line.join(',')).join('\n')}\n`
}

function quote(value: string | number): string {
  const text = String(value)
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** The figures of one result, a line per number. */
export function linesOf(one: Results): Line[] {
  switch (one.kind) {
    case 'controls':
      return linesOfControls(one.result)
    case 'mt-bench':
      return linesOfMtBench(one.result)
    case 'perplexity':
      return linesOfPerplexity(one.result)
    case 'convergence':
      return linesOfConvergence(one.result)
    case 'alpaca-eval':
      return linesOfAlpacaEval(one.result)
  }
}

const range = (interval: Interval | null | undefined) =>
  interval ? { low: interval.low, high: interval.high } : {}

function linesOfControls({ task, model, rows }: Result): Line[] {
  return rows.flatMap((row) =>
    Object.entries(row.scores).map(([metric, { mean, interval }]): Line => {
      const takes = Object.fromEntries(TAKES.map((name) => [name, row[name]]))
      return { task, model, row: row.control, metric, mean, ...range(interval), n: row.n, ...takes }
    }),
  )
}

function linesOfMtBench({ task, model, categories, ...result }: MtBenchResult): Line[] {
  const turns = ['turn_1', 'turn_2', 'both'] as const
  const all = turns.flatMap((metric): Line[] => {
    const rating = result[metric]
    return rating
      ? [{ task, model, row: 'all', metric, mean: rating.mean, ...range(rating.interval), n: rating.n }]
      : []
  })
  const each = categories.flatMap((c) =>
    turns.map((metric): Line => ({ task, model, row: c.category, metric, mean: c[metric] })),
  )
  return [...all, ...each]
}

function linesOfPerplexity({ task, model, conditions, n }: PerplexityResult): Line[] {
  return conditions.flatMap(({ condition: row, perplexity, difference, interval, lower }): Line[] => {
    const of = { task, model, row, n }
    const first = { ...of, metric: 'perplexity', mean: perplexity }
    if (difference === null) return [first]
    return [
      first,
      { ...of, metric: 'nats_a_token', mean: difference, ...range(interval) },
      { ...of, metric: 'share_lower', mean: lower },
    ]
  })
}

/** Makes lines for groups (`GROUP`), runs (`GROUP/RUN`), differences (`A - B`) and steps (`GROUP@STEP`). */
function linesOfConvergence({ task, groups, differences }: ConvergenceResult): Line[] {
  const compared = [...groups, ...differences].flatMap((one) => {
    const row = 'beside' in one ? `${one.group} - ${one.beside}` : one.group
    return Object.entries(one.figures).flatMap(([metric, figure]): Line[] =>
      figure ? [{ task, row, metric, mean: figure.mean, ...range(figure.interval), n: figure.runs }] : [],
    )
  })
  const runs = groups.flatMap(({ group, runs }) =>
    runs.flatMap(({ run, figures }) =>
      Object.entries(figures).map(
        ([metric, mean]): Line => ({ task, row: `${group}/${run}`, metric, mean, n: 1 }),
      ),
    ),
  )
  const points = groups.flatMap(({ group, held_out: held }) =>
    held.flatMap(({ step, tokens, loss, share }): Line[] => {
      const row = `${group}@${step}`
      const of = { task, row, n: loss.runs }
      return [
        { ...of, metric: 'tokens', mean: tokens },
        { ...of, metric: 'held_out_loss', mean: loss.mean, ...range(loss.interval) },
        ...(share
          ? [{ ...of, metric: 'share_of_improvement', mean: share.mean, ...range(share.interval) }]
          : []),
      ]
    }),
  )
  return [...compared, ...runs, ...points]
}

function linesOfAlpacaEval({ task, model, n, mean_length_chars, ...r }: AlpacaEvalResult): Line[] {
  const of = { task, model, row: `beside ${r.baseline}`, n, mean_length_chars }
  const line = (metric: string, mean: number, error: number): Line => ({
    ...of,
    metric,
    mean,
    ...rateInterval(mean, error),
  })
  return [
    line('win_rate', r.win_rate, r.standard_error),
    line(`lc_win_rate_${r.variant}`, r.lc_win_rate, r.lc_standard_error),
  ]
}
