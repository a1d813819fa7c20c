/** Compares groups of training runs. The runs of a group differ only in their seed; intervals are over seeds. */
import { type Interval, mean, studentInterval } from '../lib/statistics.ts'
import type { RunFigures, RunSummary } from './convergence.ts'

/** A mean over the runs of a group, with a 95 % interval by Student's t; the interval is null for one run. */
export interface GroupFigure {
  mean: number
  interval: Interval | null
  runs: number
}

/** The figures of a group; a figure is null if a run does not have it. */
export type Figures = Record<keyof RunFigures, GroupFigure | null>

/** One held-out evaluation of a group. */
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
  /** Only the steps at which all of its runs were evaluated. */
  held_out: GroupPoint[]
}

/** A group minus the first group: means of the differences between runs at the same place in both lists. */
export interface GroupDifference {
  group: string
  beside: string
  figures: Figures
}

/** Computes means over the runs of a group, at the steps that all of them have. */
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

/** Compares the first group with each group that has the same number of runs. With one run there is no comparison. */
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

/** Returns null if a run does not have the figure: a mean over the other runs would describe another group. */
function figureOf(values: (number | null)[]): GroupFigure | null {
  const known = values.filter((value) => value !== null)
  if (known.length === 0 || known.length < values.length) return null
  return { mean: mean(known), interval: studentInterval(known) ?? null, runs: known.length }
}
