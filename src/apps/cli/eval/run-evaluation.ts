/** Runs every command that evaluates: engines, progress, interrupts, failures, output and exit code. */
import type { Engine } from '../../../core/provider/engine.ts'
import { watchEngines } from '../../../engines/map-events.ts'
import type { OpenOptions } from '../../../engines/open.ts'
import type { TaskOutcome, TaskProgress, TaskSettings } from '../../../files/task-run.ts'
import { readVersion } from '../../../lib/version.ts'
import { foldNotes } from '../../../plans/notes.ts'
import { refuseKey } from '../../../plans/option-kinds.ts'
import type { Price } from '../../../run/budget.ts'
import type { QueueOptions } from '../../../run/queue/queue-options.ts'
import { watchInterrupts } from '../interrupt.ts'
import { openForRun } from '../open-plan.ts'
import { pricesOf } from '../prices.ts'
import { createProgress } from '../progress.ts'
import { sanitize, stringifySafely } from '../render/sanitize.ts'
import { EVAL_CONCURRENCY, type EvalFlags, readEngineFlags } from './flags.ts'
import { viewTask } from './progress.ts'

/** An evaluation: its items, its engines, its work and its results. */
export interface Evaluation<Run extends TaskOutcome> {
  flags: EvalFlags
  /** Names of the engines to open. */
  engines: string[]
  /** Path of the journal. */
  journal: string
  /** Name of an item, such as `question`. `progress` says what happens to items, such as `questions answered`. */
  item: string
  progress: string
  /** Number of items. */
  asked: number
  /** Returns the text for `--dry-run`. */
  preview?(prices: Record<string, Price | undefined>): string
  work(engines: Record<string, Engine>, settings: TaskSettings): Promise<Run>
  /** Counts the items with a result. */
  countFinished(run: Run): number
  /** Writes the result's files. An interrupted run leaves its journal only. Returns the result for `--json`, and its text for a person. */
  finish(run: Run, seconds: number): Promise<{ result: object; text: string }>
}

const SHOWN_FAILURES = 10

/**
 * Runs an evaluation, or prints what it would take. The exit code is 1 if an item has no result.
 * @throws UsageError, DataError, EngineError; the reason of the interrupt after one
 */
export async function runEvaluation<Run extends TaskOutcome>(evaluation: Evaluation<Run>): Promise<void> {
  const { flags, engines: names, asked } = evaluation
  names.forEach(refuseKey)
  const { config, engineFlags } = await readEngineFlags(flags)
  if (flags.dryRun && evaluation.preview) {
    console.log(evaluation.preview(pricesOf(names, config)))
    return
  }
  const signal = watchInterrupts()
  const startMs = performance.now()
  const run = await work(evaluation, engineFlags, signal)
  listFailures(run, evaluation.item)
  const finished = evaluation.countFinished(run)
  if (run.outcome === 'interrupted') {
    const sofar = `interrupted after ${finished} of ${asked}, so no result is written`
    console.error(`${sofar}; run the same command to resume (${evaluation.journal})`)
    throw signal.reason
  }
  if (finished > 0) {
    const { result, text } = await evaluation.finish(run, (performance.now() - startMs) / 1000)
    console.log(flags.json ? stringifySafely(result) : sanitize(text))
  }
  if (finished < asked) process.exitCode = 1
}

/** Opens the engines and the progress line, does the work, and closes both. */
async function work<Run extends TaskOutcome>(
  { flags, engines: names, journal, progress: what, work }: Evaluation<Run>,
  engineFlags: OpenOptions,
  signal: AbortSignal,
): Promise<Run> {
  const progress = flags.progress
    ? createProgress<TaskProgress>(process.stderr, (state, ms) => viewTask(state, what, ms))
    : undefined
  const note = progress && foldNotes((text) => progress.writeAbove(sanitize(text)))
  const { concurrency = EVAL_CONCURRENCY } = flags
  const { engines, queue, close } = await openForRun([...new Set(names)], flags, {
    ...engineFlags,
    ...(flags.queue === undefined && { concurrency }),
    signal,
    onProgress: progress?.pull,
    onNote: (text) => (progress?.writeAbove ?? console.error)(sanitize(text)),
  }).finally(() => progress?.close())
  try {
    return await work(note ? watchEngines(engines, note) : engines, {
      journal,
      restart: flags.restart,
      active: concurrency,
      version: readVersion(),
      signal,
      onProgress: progress?.update,
      ...(queue && { elsewhere: await openQueue(queue) }),
    })
  } finally {
    progress?.close()
    await close()
  }
}

/** Its packages are loaded only for a queue. */
async function openQueue(queue: QueueOptions): Promise<TaskSettings['elsewhere']> {
  const { submitTask } = await import('../../../run/queue/submit-task.ts')
  return (task) => submitTask(queue, task)
}

function listFailures({ failures }: TaskOutcome, item: string): void {
  for (const { id, error } of failures.slice(0, SHOWN_FAILURES)) {
    console.error(`failed: ${item} ${id}: ${error.kind}: ${sanitize(error.message)}`)
  }
  const more = failures.length - SHOWN_FAILURES
  if (more > 0) console.error(`failed: ${more} more; run the same command to retry them`)
}
