/** Makes the progress line of an evaluation. */
import type { TaskProgress } from '../../../files/task-journal.ts'
import { describeLeft, joinFacts, type ProgressView } from '../progress.ts'

/**
 * Makes a line such as `12 of 805 pairs judged · 1 failed · 3.2/s · 4:05 left`.
 * @param what names the items and what happens to them, such as `pairs judged`
 */
export function viewTask(
  { items, done, doneNow, failed }: TaskProgress,
  what: string,
  elapsedMs: number,
): ProgressView {
  const perSecond = doneNow / Math.max(1e-3, elapsedMs / 1000)
  const facts = joinFacts([
    `${done} of ${items} ${what}`,
    failed > 0 && `${failed} failed`,
    doneNow > 0 && `${perSecond.toFixed(perSecond < 10 ? 2 : 0)}/s`,
    describeLeft(doneNow, items - done - failed, elapsedMs),
  ])
  return { share: done / Math.max(1, items), facts }
}
