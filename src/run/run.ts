/** Runs many prompts: records each in a journal, then writes one file of answers. */
import { resolve } from 'node:path'
import type { Clock } from '../core/host.ts'
import { enginesOf, type Plan } from '../core/plan.ts'
import type { Engine, ResponseFormat } from '../core/provider/engine.ts'
import { UsageError } from '../core/provider/errors.ts'
import type { Template } from '../core/provider/template.ts'
import type { AftEvent } from '../core/result.ts'
import { toCallersError } from '../files/file-errors.ts'
import type { AnswerRecord } from '../files/journal-records.ts'
import { readPrompts } from '../files/prompts.ts'
import { openRunJournal, type PromptLine, planToResume, type RunJournal } from '../files/run-journal.ts'
import { readVersion } from '../lib/version.ts'
import { checkReplaceable } from '../lib/write-whole.ts'
import { templateOf, wordingsOf } from '../plans/wording.ts'
import { answerAll, countMade, countSpent, type Estimates, noteEnd, type RunEnd } from './answer-all.ts'
import { type AnswerFormat, writeAnswers } from './answers.ts'
import { type Budget, createLedger, type Price, unpricedEngines } from './budget.ts'
import { systemClock } from './clock.ts'
import { type RunRow, toLine, withoutGiven } from './given.ts'
import { createProgress, type FailureGroup, type Progress } from './progress.ts'
import type { QueueOptions } from './queue/queue-options.ts'
import type { Submitter } from './queue/submit.ts'

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

/** As the public `runPrompts` (run-later.ts). */
export async function runPrompts(options: RunOptions): Promise<RunSummary> {
  try {
    return await run(options)
  } catch (error) {
    throw toCallersError(error)
  }
}

async function run(options: RunOptions): Promise<RunSummary> {
  const { engines, out, budget, queue, prices = {}, clock = systemClock } = options
  checkBudget(options)
  checkOut(options)
  const rows = await toRows(options)
  const ids = await readIds(rows())
  const file = options.journal ?? `${out}.journal`
  const { plan, template } = await settle(file, options)
  const ledger = createLedger(budget ?? {})
  const estimates: Estimates = new Map()
  const progress = createProgress(plan, ledger, ids.size)
  const identity = { plan, template, engines: idsOf(plan, engines), version: readVersion() }
  // Spending counts for all prompts of the journal, progress only for the prompts of this run.
  const count = (line: PromptLine) => {
    countSpent(line, { ledger, prices, estimates })
    if (line.type !== 'prompt' && ids.has(line.prompt)) countMade(line, progress)
  }
  const failures: FailureGroup[] = []
  const earlier = createEarlier(count)
  const journal = await openRunJournal(file, identity, { onLine: earlier.onLine, restart: options.restart })
  let submitter: Submitter<PromptLine> | undefined
  let outcome: RunEnd['outcome'] | 'failed' = 'failed'
  try {
    for await (const row of rows()) checkRow(row, journal)
    if (queue) {
      const onStray = (line: PromptLine) => {
        count(line)
        // One that failed is tried again by this run.
        const isEnd = line.type === 'answer' && !('error' in line) && ids.has(line.prompt)
        if (isEnd) noteEnd(line, { ...options, progress, failures })
      }
      const { submitPrompts } = await import('./queue/submit-prompts.ts')
      submitter = await submitPrompts(queue, { journal, identity, progress, onStray, ...earlier.found() })
    }
    progress.answered = [...ids].filter((id) => journal.isDone(id)).length
    const end = await answerAll({
      rows: rows(),
      plan,
      host: { engines, template, clock },
      journal,
      ledger,
      estimates,
      prices,
      progress,
      failures,
      active: options.active ?? submitter?.window,
      answer: submitter && ((row, job) => submitter?.work(withoutGiven(row), job) as Promise<AnswerRecord>),
      isLimited: budget !== undefined,
      signal: options.signal,
      onProgress: options.onProgress,
      onEvent: options.onEvent,
    })
    if (end.outcome === 'done') writeAnswers(journal, [...ids], answerFile(options))
    outcome = end.outcome
    return { ...end, progress, failures }
  } finally {
    await submitter?.close(outcome)
    journal.close()
  }
}

/** What a journal that is opened says of a queue: the place up to which it took lines, and whether it is new. */
function createEarlier(count: (line: PromptLine) => void) {
  let [cursor, isNew] = [undefined as string | undefined, true]
  return {
    onLine(line: PromptLine & { at?: unknown }): void {
      count(line)
      isNew = false
      if (typeof line.at === 'string') cursor = line.at
    },
    found: () => ({ cursor, isNew }),
  }
}

/** The plan and the template of a run: what its journal began with, as far as the options leave it open. */
async function settle(file: string, { plan: asked, template, engines, restart }: RunOptions) {
  const plan = restart ? asked : await planToResume(file, asked, template === undefined)
  return { plan, template: template ?? templateOf(plan, wordingsOf(engines)) }
}

type Rows = Iterable<RunRow> | AsyncIterable<RunRow>

/** Rows that can be read more than once. */
async function toRows({ prompts, system, responseFormat }: RunOptions): Promise<() => Rows> {
  if (typeof prompts === 'string') return () => readPrompts(prompts, system, responseFormat)
  if (typeof prompts === 'function') return prompts
  const rows: RunRow[] = []
  for await (const row of prompts) rows.push(row)
  return () => rows
}

async function readIds(rows: Rows): Promise<Set<string>> {
  const ids = new Set<string>()
  for await (const { id } of rows) {
    if (ids.has(id)) throw new UsageError(`two prompts have the id "${id}"; give each its own`)
    ids.add(id)
  }
  return ids
}

function checkRow(row: RunRow, journal: RunJournal): void {
  if (journal.compare(toLine(row)) !== 'changed') return
  throw new UsageError(
    `the prompt "${row.id}" is not the one that ${journal.file} holds under this id. ` +
      'If you moved or changed rows, give them new ids; or give another -o, or start over with --restart',
  )
}

function checkBudget({ budget, plan, prices = {} }: RunOptions): void {
  if (budget?.maxCost === undefined) return
  const unpriced = unpricedEngines(plan, prices)
  if (unpriced.length === 0) return
  throw new UsageError(
    `a limit of cost needs prices, and that of ${unpriced.join(', ')} is not known. ` +
      'Give it in aft.config.ts (`price: { inputPerMTok, outputPerMTok }`), or limit the tokens (--max-tokens-total)',
  )
}

/** Refuses an output that is no file, or is the prompts. @throws UsageError, FileError */
export function checkOut({ prompts, out }: Pick<RunOptions, 'prompts' | 'out'>): void {
  checkReplaceable(out)
  if (typeof prompts !== 'string' || resolve(prompts) !== resolve(out)) return
  throw new UsageError(`${out}: the answers would replace the prompts; give another -o`)
}

function idsOf(plan: Plan, engines: Record<string, Engine>): Record<string, string> {
  return Object.fromEntries(
    enginesOf(plan).map((name) => {
      if (!engines[name]) throw new UsageError(`the plan names the engine "${name}", which was not opened`)
      return [name, engines[name].id]
    }),
  )
}

function answerFile({ out: file, format = 'jsonl', plan, generator, withPrompt }: RunOptions) {
  return { file, format, withPrompt, generator: generator ?? `${plan.strategy}-${enginesOf(plan).join('+')}` }
}
