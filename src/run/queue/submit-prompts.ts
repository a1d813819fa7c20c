/** Has the prompts of a run answered by the workers of a queue. */
import { headerOf, type PromptLine, type RunIdentity, type RunJournal } from '../../files/run-journal.ts'
import type { Progress } from '../progress.ts'
import type { SubmitterCounts } from './keys.ts'
import type { QueueOptions } from './queue-options.ts'
import { type PromptsMeta, runLines } from './run-work.ts'
import type { Submitter, SubmitterOptions } from './submit.ts'
import { submitTo } from './submit-to.ts'

/** Connects a run to its queue. @throws as `submitTo` does */
export function submitPrompts(
  queue: QueueOptions,
  {
    identity,
    progress,
    ...more
  }: { journal: RunJournal; identity: RunIdentity; progress: Progress } & Pick<
    SubmitterOptions<PromptLine>,
    'cursor' | 'isNew' | 'onStray'
  >,
): Promise<Submitter<PromptLine>> {
  const header = headerOf(identity)
  return submitTo<PromptLine, Omit<PromptsMeta, 'journal'>>(queue, {
    ...more,
    meta: { header, template: identity.template },
    lines: runLines(header),
    state: () => countsOf(progress),
  })
}

function countsOf({
  prompts,
  answered,
  failed,
  degraded,
  completions,
  made,
  madeNow,
  spent,
}: Progress): SubmitterCounts {
  const { inputTokens, outputTokens, cost } = spent
  const counts = { prompts, answered, failed, degraded, completions, made, madeNow }
  return { ...counts, inputTokens, outputTokens, cost }
}
