/** The top of a report's page: what each result says, in a line or two. */

import type { ConvergenceResult, PerplexityResult, Result, Results } from '../files/result-file.ts'
import type { ReportSection } from './page.ts'
import { describeTask, nameModels, percent, shorten } from './texts.ts'

/** Makes the section with the findings of all results, grouped as on the page. */
export function findingsSection(results: Results[]): ReportSection {
  const found = new Map<string, string[]>()
  for (const one of results) {
    const about = describeTask(one)
    found.set(about, [...(found.get(about) ?? []), ...findingsOf(one, results)])
  }
  const statements = [...found].map(([about, texts]) => ({ about, texts }))
  return { title: 'In short', isWide: true, statements }
}

function findingsOf(one: Results, all: Results[]): string[] {
  switch (one.kind) {
    case 'controls':
      return findInControls(one.result)
    case 'perplexity':
      return [findInPerplexity(one.result, all)]
    case 'convergence':
      return findInConvergence(one.result)
    case 'mt-bench': {
      const { both, judge } = one.result
      return [
        both
          ? `${both.mean.toFixed(2)} of 10 (${both.interval.low.toFixed(2)} to ${both.interval.high.toFixed(2)}), rated by ${shorten(judge)}`
          : 'no ratings',
      ]
    }
    case 'alpaca-eval': {
      const r = one.result
      const lc = `${r.lc_win_rate.toFixed(1)} ± ${r.lc_standard_error.toFixed(1)} length-controlled (${r.variant})`
      return [
        `${r.model}: win rate ${r.win_rate.toFixed(1)} ± ${r.standard_error.toFixed(1)}, ${lc}, at ${Math.round(r.mean_length_chars)} characters`,
      ]
    }
  }
}

/** Compares the aggregators (or the best point of a grid) with one answer, and says what selection could reach. */
function findInControls({ rows, metrics }: Result): string[] {
  const metric = metrics[0] as string
  const score = (row: Result['rows'][number]) => row.scores[metric]?.mean ?? 0
  const found = rows.filter(({ control }) => control === 'aggregated' || control === 'trained')
  const best = [...rows].sort((a, b) => score(b) - score(a)).slice(0, 1)
  const oracle = rows.find(({ control }) => control === 'oracle')
  const told = (found.length > 0 ? found : best).map((row) => {
    const interval = row.scores[metric]?.interval
    const range = interval ? ` (${percent(interval.low)} to ${percent(interval.high)})` : ''
    const test = row.against_single
    const points =
      test &&
      `${test.difference < 0 ? '−' : '+'}${Math.abs(100 * test.difference).toFixed(1)} points compared with one answer, p = ${(row.p_corrected ?? test.p).toFixed(3)}`
    return `${row.title}: ${metric} ${percent(score(row))}${range}${points ? `; ${points}` : ''}`
  })
  return [
    ...told,
    ...(oracle && found.length > 0
      ? [`choosing among the proposals by the right answer would reach ${percent(score(oracle))}`]
      : []),
  ]
}

/** Compares the condition that shows most with the first. */
function findInPerplexity({ model, conditions }: PerplexityResult, all: Results[]): string {
  const models = all.flatMap((one) => (one.kind === 'perplexity' ? one.result.model : []))
  const name = nameModels(models)[models.indexOf(model)] ?? model
  const [none] = conditions
  const shown = conditions.filter(({ condition }) => !/ of another question$/.test(condition)).at(-1)
  if (!none || !shown || shown === none) return `${name}: ${none?.perplexity.toFixed(2) ?? ''}`
  const { difference, interval } = shown
  const range = interval ? ` (${interval.low.toFixed(2)} to ${interval.high.toFixed(2)})` : ''
  return `${name}: ${none.perplexity.toFixed(2)} with ${none.condition}, ${shown.perplexity.toFixed(2)} with ${shown.condition}; ${(difference ?? 0).toFixed(2)} nats per token${range}`
}

function findInConvergence({ groups, differences }: ConvergenceResult): string[] {
  const each = groups.map(({ group, figures }) => {
    const [first, lowest, step] = [
      figures.first_held_out,
      figures.lowest_held_out,
      figures.step_of_90_percent,
    ]
    if (!first || !lowest) return `${group}: not evaluated while it trained`
    return `${group}: held-out loss ${first.mean.toFixed(3)} to ${lowest.mean.toFixed(3)}${step ? `, 90 % of the way by step ${step.mean.toFixed(0)}` : ''}`
  })
  const less = differences.flatMap(({ group, beside, figures: { step_of_90_percent: step } }) =>
    step?.interval
      ? [
          `${group} compared with ${beside}: 90 % at ${step.mean.toFixed(1)} steps more (${step.interval.low.toFixed(1)} to ${step.interval.high.toFixed(1)})`,
        ]
      : [],
  )
  return [...each, ...less]
}
