/** The top of a report's page: what each result says, in sentences with intervals. */
import type { ConvergenceResult, PerplexityResult, Result, Results } from '../files/result-kinds.ts'
import type { ReportSection } from './page.ts'
import { rateInterval } from './rate-interval.ts'
import { describeTask, nameModels, percent, shorten, signed } from './texts.ts'

/** Below this, a share of questions says next to nothing: its 95 % interval is wider than 30 points. */
const FEW_QUESTIONS = 30
/** Below this, an interval over seeds rests on a guess of their spread. */
const FEW_SEEDS = 5

/** Makes the section with the findings of all results, grouped as on the page. */
export function findingsSection(results: Results[]): ReportSection {
  const found = new Map<string, string[]>()
  for (const one of results) {
    const about = describeTask(one)
    found.set(about, [...(found.get(about) ?? []), ...findingsOf(one, results)])
  }
  const notes = Map.groupBy(results, describeTask)
  const statements = [...found].map(([about, texts]) => {
    const warnings = new Set(notes.get(about)?.flatMap(warningsOf))
    return { about, texts: [...texts, ...warnings] }
  })
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
      const { both, judge, model } = one.result
      if (!both) return [`${shorten(judge)} gave no ratings.`]
      const { mean, interval } = both
      return [
        `As a judge, ${shorten(judge)} gives ${shorten(model)} ${mean.toFixed(2)} of 10 (95 % interval ${interval.low.toFixed(2)} to ${interval.high.toFixed(2)}).`,
      ]
    }
    case 'alpaca-eval': {
      const r = one.result
      const { low, high } = rateInterval(r.lc_win_rate, r.lc_standard_error)
      const range = `${low.toFixed(1)} to ${high.toFixed(1)}`
      return [
        `${r.model} wins ${r.lc_win_rate.toFixed(1)}\u00a0% against ${r.baseline} if length is controlled (95 % interval ${range}), and ${r.win_rate.toFixed(1)}\u00a0% raw, with ${Math.round(r.mean_length_chars)} characters on average.`,
      ]
    }
  }
}

/** Says that a result rests on too few questions or seeds. */
function warningsOf({ kind, result }: Results): string[] {
  if (kind === 'convergence') {
    const seeds = Math.min(...result.groups.map(({ runs }) => runs.length))
    if (seeds >= FEW_SEEDS || seeds === 1) return []
    return [`Note: ${seeds} seeds per group are few: the intervals are rough.`]
  }
  if (kind === 'mt-bench' && result.unreadable.length > 0) {
    const all = 2 * result.n
    const rated = all - result.unreadable.length
    return [`Note: ${rated} of ${all} grades hold a rating. The mean is of these alone.`]
  }
  if (kind === 'perplexity' || result.n >= FEW_QUESTIONS) return []
  return [
    `Note: ${result.n} questions are too few to tell: most differences are chance. 200 or more give intervals of some points.`,
  ]
}

type Row = Result['rows'][number]

/** Compares the aggregators (or the best point of a grid) with one answer, and says what selection could reach. */
function findInControls({ rows, metrics }: Result): string[] {
  const metric = metrics[0] as string
  const score = (row: Row) => row.scores[metric]?.mean ?? 0
  const found = rows.filter(({ control }) => control === 'aggregated' || control === 'trained')
  const best = [...rows].sort((a, b) => score(b) - score(a)).slice(0, 1)
  const oracle = rows.find(({ control }) => control === 'oracle')
  return [
    ...(found.length > 0 ? found : best).map((row) => findInRow(row, metric)),
    ...(oracle && found.length > 0
      ? [`Picking the right proposal wherever there is one would reach ${showScore(oracle, metric)}.`]
      : []),
  ]
}

/** A difference counts if its p, corrected for all tests, is below 0.05. */
function findInRow(row: Row, metric: string): string {
  const reaches = `${startSentence(row.title)}: ${showScore(row, metric)} by the metric “${metric}”`
  const test = row.against_single
  if (!test) return `${reaches}.`
  const p = row.p_corrected ?? test.p
  const points = signed(100 * test.difference, 1)
  const { interval } = test as { interval?: { low: number; high: number } }
  const range = interval
    ? `95 % interval ${signed(100 * interval.low, 1)} to ${signed(100 * interval.high, 1)}, `
    : ''
  const shown = `${points} points (${range}p\u00a0${p < 0.001 ? '<\u00a00.001' : `=\u00a0${p.toFixed(3)}`}${row.p_corrected == null ? '' : ', corrected'})`
  if (p >= 0.05) return `${reaches}. No difference from one answer is shown: ${shown}.`
  return `${reaches}. ${test.difference > 0 ? 'Better' : 'Worse'} than one answer: ${shown}.`
}

function showScore(row: Row, metric: string): string {
  const { mean = 0, interval } = row.scores[metric] ?? {}
  return `${percent(mean)}${interval ? ` (${percent(interval.low)} to ${percent(interval.high)})` : ''}`
}

const startSentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}`

/** Compares the condition that shows most with the first. */
function findInPerplexity({ model, conditions }: PerplexityResult, all: Results[]): string {
  const models = all.flatMap((one) => (one.kind === 'perplexity' ? one.result.model : []))
  const name = nameModels(models)[models.indexOf(model)] ?? model
  const [none] = conditions
  const shown = conditions.filter(({ condition }) => !/ of another question$/.test(condition)).at(-1)
  if (!none || !shown || shown === none) return `${name}: perplexity ${none?.perplexity.toFixed(2) ?? ''}.`
  const { difference, interval } = shown
  const range = interval ? `, 95 % interval ${signed(interval.low, 2)} to ${signed(interval.high, 2)}` : ''
  const numbers = `perplexity ${none.perplexity.toFixed(2)} with ${none.condition}, ${shown.perplexity.toFixed(2)} with ${shown.condition} (${signed(difference ?? 0, 2)} nats per token${range})`
  if (interval && interval.low <= 0 && interval.high >= 0)
    return `${name}: no difference is shown: ${numbers}.`
  return `${name} expects the target ${(difference ?? 0) < 0 ? 'more' : 'less'} with ${shown.condition}: ${numbers}.`
}

function findInConvergence({ groups, differences }: ConvergenceResult): string[] {
  const each = groups.map(({ group, figures }) => {
    const { first_held_out: first, lowest_held_out: lowest, step_of_90_percent: step } = figures
    if (!first || !lowest) return `${group} was not evaluated while it trained.`
    const way = step ? `, and 90 % of the way is done by step ${step.mean.toFixed(0)}` : ''
    return `${group}: the held-out loss falls from ${first.mean.toFixed(3)} to ${lowest.mean.toFixed(3)}${way}.`
  })
  const compared = differences.flatMap(({ group, beside, figures: { step_of_90_percent: step } }) => {
    if (!step?.interval) return []
    const { low, high } = step.interval
    const numbers = `${group} does 90 % of its improvement ${showSteps(step.mean)} than ${beside} (95 % interval: ${showSteps(low)} to ${showSteps(high)})`
    return [low <= 0 && high >= 0 ? `No difference in speed is shown: ${numbers}.` : `${numbers}.`]
  })
  return [...each, ...compared]
}

function showSteps(steps: number): string {
  return `${Math.abs(steps).toFixed(1)} steps ${steps < 0 ? 'earlier' : 'later'}`
}
