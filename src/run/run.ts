/** Runs many prompts: records each in a journal, then writes one file of answers. What does it is loaded by the first run. */
import type { Clock } from '../core/host.ts'
import type { Plan } from '../core/plan.ts'
import type { Engine, ResponseFormat } from '../core/provider/engine.ts'
import type { Template } from '../core/provider/template.ts'
import type { AftEvent } from '../core/result.ts'
import { toCallersError } from '../files/file-errors.ts'
import type { RunEnd } from './answer-all.ts'
import type { AnswerFormat } from './answers.ts'
import type { Budget, Price } from './budget.ts'
import type { RunRow } from './given.ts'
import type { FailureGroup, Progress } from './progress.ts'
import type { QueueOptions } from './queue/queue-options.ts'

/** What to answer, with what, and where the answers go. */
export interface RunOptions {
  /**
   * A file of rows (see `readPrompts`), or a function that returns the same prompts at each call. Both are read more than
   * once, in flat memory. If the prompts themselves are passed, all are kept in memory.
   */
  prompts: string | (() => AsyncIterable<RunRow>) | Iterable<RunRow> | AsyncIterable<RunRow>
  /** The file of answers. */
  out: string
  /** Default: `out` with `.journal` at its end. */
  journal?: string
  plan: Plan
  /** By the names that the plan uses. */
  engines: Record<string, Engine>
  /** Default: the one that the plan names; an interrupted run keeps the built-in one that it began with. */
  template?: Template
  /** System prompt for the conversations in a file that have none. */
  system?: string
  /** What a file's prompts without a format of their own are asked for. */
  responseFormat?: ResponseFormat
  /**
   * Number of prompts in progress at a time, from 1; default 48 per engine. To keep an engine busy it must be at least the
   * number of completions that the engine handles at a time. With twice as many, the last prompts end more evenly.
   */
  active?: number | (() => number)
  /** Renames an earlier journal (adds `.old` to its name) and starts a new one. */
  restart?: boolean
  budget?: Budget
  /** Prices of the engines, by name. */
  prices?: Record<string, Price | undefined>
  /** Default `jsonl`. */
  format?: AnswerFormat
  /** Name of the model in `alpaca-eval` rows. Default: strategy and engines. */
  generator?: string
  /** Puts each prompt into its line of answers. */
  withPrompt?: boolean
  signal?: AbortSignal
  /** Called with the same, changing object whenever a completion or a prompt has ended. */
  onProgress?: (progress: Progress) => void
  /** Called with the events of all prompts, deltas excepted: what is waited for, what failed, what ended. */
  onEvent?: (event: AftEvent) => void
  clock?: Clock
  /** Workers of a queue answer the prompts, not `engines`: of these only the ids are used. */
  queue?: QueueOptions
}

/** How a run ended. If the outcome is `done`, the file of answers is written; otherwise the journal has what was finished. */
export interface RunSummary extends RunEnd {
  progress: Progress
  /** Why prompts failed in this run. */
  failures: FailureGroup[]
}

/**
 * Answers many prompts, with a journal. Each prompt enters its next layer as soon as its own samples are complete. If an
 * earlier run was interrupted, its prompts are resumed from the journal, and failed ones are tried again.
 * @throws UsageError for wrong settings, a journal that is in use or has other settings;
 * DataError for a wrong row, before the first call
 * @example
 * const engines = { small: await openEngine('smollm2') }
 * const plan = makePlan({ proposers: ['small'] })
 * const { outcome } = await runPrompts({ prompts: 'prompts.jsonl', out: 'answers.jsonl', plan, engines })
 */
export async function runPrompts(options: RunOptions): Promise<RunSummary> {
  try {
    const { run } = await import('./run-rows.ts')
    return await run(options)
  } catch (error) {
    throw toCallersError(error)
  }
}
