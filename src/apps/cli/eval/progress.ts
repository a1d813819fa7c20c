/** How far an evaluation is: a bar on a terminal, elsewhere a line every ten seconds. */
import type { WriteStream } from 'node:tty'
import type { TaskProgress } from '../../../files/task-journal.ts'
import { createPullProgress } from '../models.ts'
import { showTime } from '../render/run-report.ts'
import { createStatusLine, type PullProgress } from '../render/status.ts'
import { cutEnd } from '../render/text.ts'

export interface EvalReporter {
  pull(progress: PullProgress): void
  update(progress: TaskProgress): void
  close(): void
}

const LINE_MS = 10_000
const BAR = 24

/** @param what the items, such as `pairs judged` */
export function createEvalReporter(stream: WriteStream, what: string): EvalReporter {
  const line = createStatusLine(stream)
  const pulls = createPullProgress(stream)
  let timer: NodeJS.Timeout | undefined
  let latest: TaskProgress | undefined
  let startMs = 0
  const describe = (nowMs: number) => (latest ? describeTask(latest, what, nowMs - startMs) : '')
  const start = () => {
    startMs = performance.now()
    pulls.close()
    if (!stream.isTTY) {
      timer = setInterval(() => stream.write(`${describe(performance.now())}\n`), LINE_MS).unref()
      return
    }
    line.show((nowMs, columns, style) => {
      const full = Math.floor((BAR * (latest?.done ?? 0)) / Math.max(1, latest?.items ?? 1))
      const bar = style.accent('━'.repeat(full)) + style.dim('─'.repeat(BAR - full))
      return `${bar}  ${cutEnd(describe(nowMs), Math.max(0, columns - BAR - 2))}`
    })
  }
  return {
    pull: pulls.update,
    update(progress) {
      if (!latest) start()
      latest = { ...progress }
    },
    close() {
      clearInterval(timer)
      pulls.close()
      line.close()
    },
  }
}

/** Such as `12 of 805 pairs judged · 1 failed · 3.2/s · 4:05 left`. */
export function describeTask(
  { items, done, doneNow, failed }: TaskProgress,
  what: string,
  elapsedMs: number,
): string {
  const perSecond = doneNow / Math.max(1e-3, elapsedMs / 1000)
  return [
    `${done} of ${items} ${what}`,
    failed > 0 && `${failed} failed`,
    doneNow > 0 && `${perSecond.toFixed(perSecond < 10 ? 2 : 0)}/s`,
    doneNow > 0 && `${showTime((1000 * (items - done - failed)) / perSecond)} left`,
  ]
    .filter(Boolean)
    .join(' · ')
}
