/** The runs of one question: one of them is shown, and the conversation goes on from it. */
import type { OtherRun, Turn } from './run.ts'

/** Returns all runs of a turn, in the order in which they were made. */
export function runsOf({ run, about, others = [], at = others.length }: Turn): OtherRun[] {
  return others.toSpliced(at, 0, { run, about })
}

/** Returns the place of the run that is shown, from 0. */
export const placeOfShown = ({ others = [], at = others.length }: Turn): number => at

/** Returns the turn with a further run, which is then shown. */
export function addRun(turn: Turn, { run, about }: OtherRun): Turn {
  const others = runsOf(turn)
  return { ...turn, run, about, others, at: others.length }
}

/** Returns the turn with another of its runs shown. */
export function showRun(turn: Turn, at: number): Turn {
  const all = runsOf(turn)
  const chosen = all[at]
  if (!chosen) return turn
  return { ...turn, run: chosen.run, about: chosen.about, others: all.toSpliced(at, 1), at }
}
