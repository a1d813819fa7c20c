/** Runs that differ in their seed alone make a group; groups stand beside each other, with intervals over seeds. */
import { type Interval, mean, studentInterval } from '../lib/statistics.ts'
import type { RunFigures, RunSummary } from './convergence.ts'

/** Over the runs of a group. The interval is of 95 %, by Student's t; null for one run. */
export interface GroupFigure {
  mean: number
  interval: Interval | null
  runs: number
}

/** The figures of a group; null if one of its runs lacks it. */
export type Figures = Record<keyof RunFigures, GroupFigure | null>

/** A held-out evaluation of a group. */
export interface GroupPoint {
  step: number
  tokens: number | null
  loss: GroupFigure
  share: GroupFigure | null
}

/** A group in numbers. */
export interface GroupSummary {
  group: string
  runs: RunSummary[]
  figures: Figures
  /** At the steps that all of its runs were evaluated at. */
  held_out: GroupPoint[]
}

/** A group less the first one: means of the differences of runs at the same place of their lists. */
export interface GroupDifference {
  group: string
  beside: string
  figures: Figures
}

/** Means over the runs of a group, at the steps that all of them have. */
export function summarizeGroup(group: string, runs: RunSummary[]): GroupSummary {
  const steps = runs[0]?.held_out.map(({ step }) => step) ?? []
  const at = (step: number) => runs.flatMap((run) => run.held_out.find((point) => point.step === step) ?? [])
  const shared = steps.filter((step) => at(step).length === runs.length)
  return {
    group,
    runs,
    figures: mapFigures(runs, (name) => runs.map(({ figures }) => figures[name])),
    held_out: shared.map((step) => {
      const points = at(step)
      const tokens = points.flatMap((point) => point.tokens ?? [])
      return {
        step,
        tokens: tokens.length === runs.length ? mean(tokens) : null,
        loss: figureOf(points.map((point) => point.loss)) as GroupFigure,
        share: figureOf(points.map((point) => point.share)),
      }
    }),
  }
}

/** Groups with as many runs as the first, beside it; none if that has one run. */
export function compareGroups([first, ...others]: GroupSummary[]): GroupDifference[] {
  if (!first || first.runs.length < 2) return []
  return others
    .filter(({ runs }) => runs.length === first.runs.length)
    .map(({ group, runs }) => ({
      group,
      beside: first.group,
      figures: mapFigures(runs, (name) =>
        runs.map(({ figures }, i) => {
          const [own, other] = [figures[name], first.runs[i]?.figures[name] ?? null]
          return own === null || other === null ? null : own - other
        }),
      ),
    }))
}

function mapFigures(runs: RunSummary[], valuesOf: (name: keyof RunFigures) => (number | null)[]): Figures {
  const names = Object.keys(runs[0]?.figures ?? {}) as (keyof RunFigures)[]
  return Object.fromEntries(names.map((name) => [name, figureOf(valuesOf(name))])) as Figures
}

/** Null if a run lacks it: a mean over the others would be of another group. */
function figureOf(values: (number | null)[]): GroupFigure | null {
  const known = values.filter((value) => value !== null)
  if (known.length === 0 || known.length < values.length) return null
  return { mean: mean(known), interval: studentInterval(known) ?? null, runs: known.length }
}
