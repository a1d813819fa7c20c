/**
 * Trainings crossed with ways to answer, made from the lines of `questions.jsonl` alone: any table of controls can be made
 * again from them.
 */

import { bootstrapCrossed, type Crossed, meansOfItems, testCrossed } from '../lib/crossed.ts'
import { hashParts, randomFrom } from '../lib/random.ts'
import { correctHolm, type Interval, mean, type PairedTest } from '../lib/statistics.ts'
import { type ControlName, controlNames, controlTitles } from './controls.ts'

/** A line of `questions.jsonl`, as far as the table needs it. */
export interface ScoredLine {
  id: string
  question?: string
  seed?: number
  answers: { control: string; scores: Record<string, number> }[]
}

/** The lines of one evaluation, and what its model is called. */
export interface Evaluated {
  name: string
  lines: ScoredLine[]
}

/** A way to answer, with a cell per evaluation; null if it does not have this way. */
export interface MethodRow {
  control: string
  title: string
  cells: (MethodCell | null)[]
}

/** Means over questions and seeds. */
export interface MethodCell {
  mean: number
  interval: Interval
  /** Compared with the first evaluation's one answer. Null for itself, and for an oracle: it cannot be worse. */
  against: PairedTest | null
  /** The p value of that test, corrected for all tests of the table (Holm). */
  p_corrected: number | null
}

/** The table, and the number of its tests. */
export interface MethodsTable {
  task: 'methods'
  metric: string
  names: string[]
  /** Questions that all evaluations have. */
  questions: number
  /** Seeds per evaluation. */
  seeds: number[]
  rows: MethodRow[]
  tests: number
}

/**
 * Makes the table over the questions that all evaluations have.
 * @param metric default: the first of the lines
 */
export function tabulateMethods(
  evaluated: Evaluated[],
  { metric = firstMetric(evaluated), seed = 0 }: { metric?: string; seed?: number } = {},
): MethodsTable {
  const idOf = ({ id, question }: ScoredLine) => question ?? id
  const sets = evaluated.map(({ lines }) => new Set(lines.map(idOf)))
  const questions = [...(sets[0] ?? [])].filter((id) => sets.every((set) => set.has(id)))
  const bySeed = evaluated.map(({ lines }) =>
    [...Map.groupBy(lines, (line) => line.seed ?? 0).values()].map(
      (list) => new Map(list.map((line) => [idOf(line), line])),
    ),
  )
  const series = (of: number, control: string): Crossed =>
    (bySeed[of] ?? []).map((seed) =>
      questions.map((id) => seed.get(id)?.answers.find((a) => a.control === control)?.scores[metric]),
    )
  const base = series(0, 'single')
  const random = (...of: string[]) => randomFrom(hashParts(seed, 'methods', ...of))
  const cell = (control: string, name: string, of: number): MethodCell | null => {
    const values = series(of, control)
    const interval = bootstrapCrossed(values, { random: random(control, name) })
    if (interval === undefined) return null
    const isCompared = !control.startsWith('oracle') && !(of === 0 && control === 'single')
    const options = { random: random(control, name, 'test') }
    const against = isCompared ? testCrossed(pairSeeds(base, values), values, options) : null
    return { mean: mean(meansOfItems(values)), interval, against, p_corrected: null }
  }
  const known = new Set(
    evaluated.flatMap(({ lines }) => lines.flatMap((l) => l.answers.map((a) => a.control))),
  )
  const order: string[] = [...controlNames, ...known]
  const rows = [...new Set(order)]
    .filter((control) => known.has(control))
    .map(
      (control): MethodRow => ({
        control,
        title: controlTitles[control as ControlName] ?? control,
        cells: evaluated.map(({ name }, of) => cell(control, name, of)),
      }),
    )
  const tested = rows.flatMap((row) => row.cells).flatMap((one) => (one?.against ? [one] : []))
  const corrected = correctHolm(tested.map(({ against }) => against?.p ?? 1))
  for (const [i, one] of tested.entries()) one.p_corrected = corrected[i] ?? null
  return {
    task: 'methods',
    metric,
    names: evaluated.map(({ name }) => name),
    questions: questions.length,
    seeds: bySeed.map((seeds) => seeds.length),
    rows,
    tests: tested.length,
  }
}

/** Evaluations with other numbers of seeds are compared with the base's mean over its seeds. */
function pairSeeds(base: Crossed, values: Crossed): Crossed {
  if (base.length === values.length) return base
  const means = (base[0] ?? []).map((_, item) => {
    const present = base.flatMap((of) => of[item] ?? [])
    return present.length > 0 ? mean(present) : undefined
  })
  return values.map(() => means)
}

function firstMetric(evaluated: Evaluated[]): string {
  return Object.keys(evaluated[0]?.lines[0]?.answers[0]?.scores ?? {})[0] ?? 'score'
}
