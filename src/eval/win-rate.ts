/**
 * Computes the win rate of AlpacaEval 2, and the length-controlled one: the rate if the model's outputs had the length
 * of the baseline's. Source: arXiv 2404.04475.
 */
import { DataError } from '../core/provider/errors.ts'
import { mean, standardDeviation, standardError } from '../lib/statistics.ts'
import { type Annotation, type Annotations, BENCHMARK_ROWS } from './annotations.ts'
import type { GamedRow, LengthControls } from './length-controls.ts'
import { coefficientError, fitLogistic, sigmoid, type WeightedRow } from './logistic.ts'

/** With fewer preferences, a standard error means little. */
const FEW_ROWS = 10

/** The printed result, with the names of the benchmark's own tables. Rates and their errors are in percent. */
export interface WinRate {
  win_rate: number
  standard_error: number
  lc_win_rate: number
  lc_standard_error: number
  /** Rows with a preference. */
  n: number
  /** Mean length of the model's outputs, in code points. */
  mean_length_chars: number
  baseline_mean_length_chars: number
  /** `full` uses the benchmark's two files. `minimal` uses only lengths and preferences; its rates are not comparable. */
  variant: 'full' | 'minimal'
  generator: string
  baseline: string
  annotators: string[]
  /** Rows without a preference, from 1. The win rate leaves them out; the mean lengths include them. */
  dropped_rows: number[]
  warnings: string[]
}

/** Weight of a gamed row, compared with 1 for a row of the model: a regularization of 0.2 over two gamed systems. */
const GAMED_WEIGHT = 0.1

/**
 * Computes both rates.
 * @throws DataError if no row has a preference, or there are more rows than difficulties
 */
export function computeWinRate(annotations: Annotations, controls?: LengthControls): WinRate {
  const { file, rows, generators } = annotations
  const judged = rows.filter((row) => row.preference !== null)
  if (judged.length === 0) throw new DataError(file, undefined, 'expected preferences, got none')
  if (controls && rows.length > controls.difficulty.length) {
    const more = `expected at most ${controls.difficulty.length} rows, as many as there are difficulties`
    throw new DataError(file, undefined, `${more}, got ${rows.length}`)
  }
  const wins = judged.map((row) => 100 * ((row.preference as number) - 1))
  const { chances, error } = isSelf(annotations)
    ? { chances: rows.map(() => 0.5), error: 0 }
    : adjustForLength(rows, controls)
  const rates = { win: mean(wins), controlled: 100 * mean(chances) }
  return {
    win_rate: rates.win,
    standard_error: standardError(wins),
    lc_win_rate: rates.controlled,
    lc_standard_error: 100 * error,
    n: judged.length,
    mean_length_chars: mean(rows.map((row) => countChars(row.outputs[1]))),
    baseline_mean_length_chars: mean(rows.map((row) => countChars(row.outputs[0]))),
    variant: controls ? 'full' : 'minimal',
    generator: generators[1],
    baseline: generators[0],
    annotators: annotations.annotators,
    dropped_rows: rows.flatMap((row, i) => (row.preference === null ? [i + 1] : [])),
    warnings: [...warn(annotations, controls), ...warnOfLength(annotations, rates, controls)],
  }
}

/** Says whether a system is compared with itself. Then the rate is 50 by definition, even if a noisy judge differs. */
function isSelf({ rows, generators }: Annotations): boolean {
  return generators[0] === generators[1] && rows.every(({ outputs }) => outputs[0] === outputs[1])
}

/**
 * Computes for each row the chance (0 to 1) that the model would win with an output as long as the baseline's. The error
 * of their mean is the benchmark's own: the spread over difficulties. The minimal measure has no difficulties, so it
 * uses the error of the fitted coefficient.
 */
function adjustForLength(
  rows: Annotation[],
  controls?: LengthControls,
): { chances: number[]; error: number } {
  const differences = rows.map(({ outputs }) => countChars(outputs[0]) - countChars(outputs[1]))
  const spread = standardDeviation(differences)
  const length = differences.map((d) => (spread === 0 ? 0 : Math.tanh(d / spread)))
  const difficulty = (i: number) => controls?.difficulty[i] ?? 0
  const fitted = rows.flatMap(({ preference }, i): WeightedRow[] =>
    preference === null
      ? []
      : [{ features: [length[i] as number, difficulty(i), 1], label: preference - 1, weight: 1 }],
  )
  const all = [...fitted, ...(controls?.gamed ?? []).map(weighGamed)]
  const coefficients = fitLogistic(all)
  const [, byDifficulty = 0, own = 0] = coefficients
  const chances = rows.map((_, i) => sigmoid(byDifficulty * difficulty(i) + own))
  if (controls) return { chances, error: standardError(chances) }
  const slope = sigmoid(own) * (1 - sigmoid(own))
  return { chances, error: slope * coefficientError(all, coefficients, OWN) }
}

/** Place of the model's own coefficient. */
const OWN = 2

function weighGamed({ lengthDifference, difficulty, preference }: GamedRow): WeightedRow {
  return {
    features: [Math.tanh(lengthDifference), difficulty, 0],
    label: preference,
    weight: GAMED_WEIGHT,
  }
}

/** Counts code points, as Python does. Most texts have no surrogates: to search for one is five times as fast as to count. */
function countChars(text: string): number {
  if (!/[\ud800-\udbff]/.test(text)) return text.length
  let surrogates = 0
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit >= 0xd800 && unit < 0xdc00) {
      const next = text.charCodeAt(i + 1)
      if (next >= 0xdc00 && next < 0xe000) surrogates++
    }
  }
  return text.length - surrogates
}

function warn({ rows, isBenchmark }: Annotations, controls?: LengthControls): string[] {
  const warnings: string[] = []
  const expected = controls?.difficulty.length ?? (isBenchmark ? BENCHMARK_ROWS : undefined)
  if (expected !== undefined && rows.length < expected) {
    const so = controls ? ': the difficulty of each is that of its row, as in the published figures' : ''
    warnings.push(`${rows.length === 1 ? '1 row' : `${rows.length} rows`}, the baseline has ${expected}${so}`)
  }
  const judged = rows.filter((row) => row.preference !== null).length
  const dropped = rows.length - judged
  if (judged < FEW_ROWS)
    warnings.push(`fewer than ${FEW_ROWS} preferences (${judged}): a standard error means little`)
  const empty = rows.flatMap(({ outputs }, i) => (outputs[1].trim() === '' ? [i + 1] : []))
  if (empty.length > 0) {
    const which = empty.slice(0, 10).join(', ') + (empty.length > 10 ? ', …' : '')
    warnings.push(
      `${empty.length} outputs of the model are empty and count as they were judged: row ${which}`,
    )
  }
  if (dropped > 0) warnings.push(`${dropped} of ${rows.length} rows have no preference and are in no rate`)
  if (controls && !isBenchmark) {
    warnings.push("the instructions are not AlpacaEval's, so the difficulties may not match them")
  }
  return warnings
}

/** A single row may not make the scale of lengths this much larger. */
const MOST_STRETCH = 1.5
/** Raw and length-controlled rate, in points: above this the lengths decide the result. */
const FAR_POINTS = 10

/** Says when the length-controlled rate hangs on one row, or is far from the raw one. */
function warnOfLength(
  annotations: Annotations,
  { win, controlled }: { win: number; controlled: number },
  controls?: LengthControls,
): string[] {
  const { rows } = annotations
  if (isSelf(annotations) || rows.length < FEW_ROWS) return []
  const differences = rows.map(({ outputs }) => countChars(outputs[0]) - countChars(outputs[1]))
  const sizes = differences.map(Math.abs)
  const longest = sizes.indexOf(Math.max(...sizes))
  const others = differences.filter((_, i) => i !== longest)
  const warnings: string[] = []
  if (standardDeviation(differences) > MOST_STRETCH * standardDeviation(others)) {
    const without = <T>(list: T[]) => list.filter((_, i) => i !== longest)
    const rest = controls && { ...controls, difficulty: without(controls.difficulty) }
    const rate = 100 * mean(adjustForLength(without(rows), rest).chances)
    const by = `${sizes[longest]?.toLocaleString('en-US')} characters`
    warnings.push(
      `the two outputs of row ${longest + 1} differ by ${by}, which alone sets the scale of lengths; without this row the length-controlled win rate is ${rate.toFixed(2)}`,
    )
  }
  if (Math.abs(win - controlled) > FAR_POINTS) {
    warnings.push(
      `the length-controlled win rate is ${Math.abs(win - controlled).toFixed(1)} points ${controlled < win ? 'below' : 'above'} the win rate: lengths differ with the preferences, so neither says much alone`,
    )
  }
  return warnings
}
