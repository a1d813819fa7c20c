/** The items of an evaluation, and their lines, as a queue has them. */
import { hash } from 'node:crypto'
import type { TaskLine, TaskProgress } from '../../files/task-journal.ts'
import type { Elsewhere, SentTask, TaskSetup } from '../../files/task-run.ts'
import type { RunMeta, SubmitterCounts } from './keys.ts'
import type { QueueOptions } from './queue-options.ts'
import type { LineRules } from './sent-work.ts'
import { submitTo } from './submit-to.ts'

/** What workers have to know of an evaluation. */
export interface TaskMeta extends RunMeta {
  setup: TaskSetup
}

const lines: LineRules<TaskLine> = {
  isPossible: ({ type }) => type !== 'item',
  endWith: (id, error) => ({ type: 'failed', id, error }),
  identityOf: (line) => (line.type === 'part' ? `part ${line.name}` : hash('sha1', JSON.stringify(line))),
}

/** Has the items of an evaluation worked on by the workers of a queue. @throws as `submitTo` */
export async function submitTask(queue: QueueOptions, task: SentTask): Promise<Elsewhere> {
  const { header, setup, progress, ...more } = task
  const startedAt = Date.now()
  const submitter = await submitTo<TaskLine, Omit<TaskMeta, 'journal'>>(queue, {
    ...more,
    meta: { header, setup },
    lines,
    state: () => stateOf(progress, Date.now() - startedAt),
    onStray(line) {
      if (line.type !== 'done') return
      progress.done++
      progress.doneNow++
    },
  })
  return {
    work: (item, job) => submitter.work(item, job),
    active: submitter.window,
    close: (outcome) => submitter.close(outcome),
  }
}

/** How far an evaluation is. Its completions are not counted here. */
function stateOf({ items, done, doneNow, failed }: TaskProgress, elapsedMs: number): SubmitterCounts {
  const left = Math.max(0, items - done - failed)
  return {
    prompts: items,
    answered: done,
    failed,
    degraded: 0,
    completions: 0,
    made: 0,
    madeNow: 0,
    inputTokens: 0,
    outputTokens: 0,
    ...(doneNow > 0 && { secondsLeft: Math.round(((left / doneNow) * elapsedMs) / 1000) }),
  }
}
