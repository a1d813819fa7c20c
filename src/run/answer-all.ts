/** Answers the prompts of a run, several at a time, until all have ended or there is a reason to stop. */
import type { Host } from '../core/host.ts'
import { enginesOf, type Plan } from '../core/plan.ts'
import type { ErrorRecord } from '../core/provider/errors.ts'
import type { AftEvent } from '../core/result.ts'
import { createGiveUp, isLasting } from '../files/give-up.ts'
import type { AnswerRecord } from '../files/journal-records.ts'
import type { PromptLine, RunJournal } from '../files/run-journal.ts'
import { type Job, mapResumably } from '../lib/resumable-map.ts'
import { withOwnSettings } from '../plans/own-settings.ts'
import { answerRow } from './answer-row.ts'
import {
  addSpending,
  boundSpending,
  type Ledger,
  nothingSpent,
  type Price,
  type Spending,
  spendingOf,
} from './budget.ts'
import { listGiven, type RunRow, toLine } from './given.ts'
import { createPriority } from './priority.ts'
import { addFailure, type FailureGroup, type Progress } from './progress.ts'

/** What the parts of a run share. */
export interface RunState {
  rows: Iterable<RunRow> | AsyncIterable<RunRow>
  plan: Plan
  host: Pick<Host, 'engines' | 'template' | 'clock'>
  journal: RunJournal
  ledger: Ledger
  /** What completions that ended on an estimate were counted with, by prompt and place. */
  estimates: Estimates
  prices: Record<string, Price | undefined>
  progress: Progress
  failures: FailureGroup[]
  /** Number of prompts in progress at a time. */
  active?: number | (() => number)
  /** Answers a prompt elsewhere, with the lines that it recorded; default here, by the engines of `host`. */
  answer?: (row: RunRow, job: Job<PromptLine>) => Promise<AnswerRecord>
  /** Whether the run has a budget: then a prompt starts only if the ledger has room for it. */
  isLimited: boolean
  signal?: AbortSignal
  onProgress?: (progress: Progress) => void
  onEvent?: (event: AftEvent) => void
}

/** Why a run ended. */
export interface RunEnd {
  /**
   * - `done`: every prompt was tried
   * - `interrupted`: by the signal; `held`: by the budget
   * - `hopeless`: several prompts in a row failed or were degraded because of errors that do not pass by themselves; the
   *   last one is `reason`
   */
  outcome: 'done' | 'interrupted' | 'held' | 'hopeless'
  reason?: ErrorRecord
}

const ACTIVE_PER_ENGINE = 48

/** Answers what the journal does not hold yet. @throws FileError when the journal cannot be written */
export async function answerAll(state: RunState): Promise<RunEnd> {
  const { rows, plan, host, journal, ledger, progress, isLimited } = state
  const active = state.active ?? ACTIVE_PER_ENGINE * enginesOf(plan).length
  const priorityOf = createPriority(
    progress.prompts - progress.answered,
    typeof active === 'number' ? active : 0,
  )
  const bound = (row: RunRow) =>
    boundSpending(row, {
      plan: withOwnSettings(plan, row.own),
      template: host.template,
      prices: state.prices,
    })
  const giveUp = new AbortController()
  const watch = watchForGivingUp((reason) => giveUp.abort(reason))
  const outcome = await mapResumably<RunRow, PromptLine>(rows, {
    journal,
    lineOf: toLine,
    active,
    mayStart: (row) => !isLimited || ledger.fits(bound(row)),
    signal: state.signal ? AbortSignal.any([state.signal, giveUp.signal]) : giveUp.signal,
    async work(row, job) {
      const endReservation = isLimited ? ledger.reserve(bound(row)) : undefined
      const failed: ErrorRecord[] = []
      let took = nothingSpent
      const record = (line: PromptLine) => {
        job.record(line)
        countMade(line, progress)
        took = addSpending(took, countSpent(line, state))
        if (line.type === 'failure') failed.push(line.error)
        if (line.type !== 'completion') return
        progress.madeNow++
        state.onProgress?.(progress)
      }
      const priority = (layer: number) => priorityOf(job.position, layer)
      const recorded = [...job.recorded, ...takeGiven(row, job, progress)]
      try {
        const own = { ...job, recorded, record }
        const end = state.answer
          ? await state.answer(row, own)
          : await answerRow(row, plan, { ...host, priority }, own, state.onEvent)
        countMade(end, progress)
        noteEnd(end, state)
        watch(end, failed)
        return end
      } finally {
        endReservation?.(took)
        state.estimates.delete(row.id)
      }
    },
  })
  const isHopeless = outcome === 'interrupted' && giveUp.signal.aborted && !state.signal?.aborted
  if (!isHopeless) return { outcome }
  return { outcome: 'hopeless', reason: giveUp.signal.reason }
}

/** Records the given proposals that the journal does not have yet. They count as made, but not in this run. */
function takeGiven(row: RunRow, job: Job<PromptLine>, progress: Progress): PromptLine[] {
  const lines = listGiven(row, job.recorded)
  for (const line of lines) {
    job.record(line)
    countMade(line, progress)
  }
  return lines
}

/** Adds a line to the progress: a completion that was made, or an answer that is degraded. */
export function countMade(line: PromptLine, progress: Progress): void {
  if (line.type === 'completion') progress.made++
  if (line.type === 'answer' && 'degraded' in line && line.degraded) progress.degraded++
}

/** By prompt, then by layer, index and seed. */
export type Estimates = Map<string, Map<string, Spending>>

/** Adds what a line spent to the ledger, and returns it. A usage that comes later replaces the estimate before it. */
export function countSpent(
  line: PromptLine,
  { ledger, prices, estimates }: Pick<RunState, 'ledger' | 'prices' | 'estimates'>,
): Spending {
  if (line.type === 'answer') estimates.delete(line.prompt)
  if (!('usage' in line) || !line.usage || line.type === 'answer') return nothingSpent
  const { usage, engine, layer, index, seed, prompt } = line
  let spending = spendingOf(usage, prices[engine])
  const own = estimates.get(prompt) ?? new Map<string, Spending>()
  const place = `${layer} ${index} ${seed}`
  if (line.type === 'usage') {
    const known = own.get(place) ?? spending
    if (own.has(place)) own.set(place, spending)
    spending = subtract(spending, known)
  }
  if (line.type === 'completion' && usage.estimated) estimates.set(prompt, own.set(place, spending))
  ledger.spend(spending)
  return spending
}

function subtract(a: Spending, b: Spending): Spending {
  const { calls, completions, inputTokens, outputTokens, cost } = b
  const negative = cost === undefined ? undefined : -cost
  return addSpending(a, {
    calls: -calls,
    completions: -completions,
    inputTokens: -inputTokens,
    outputTokens: -outputTokens,
    cost: negative,
  })
}

/** Adds the end of a prompt to the progress and to the failures. */
export function noteEnd(
  end: AnswerRecord,
  { progress, failures, onProgress }: Pick<RunState, 'progress' | 'failures' | 'onProgress'>,
): void {
  if ('error' in end) {
    progress.failed++
    addFailure(failures, end.prompt, end.error)
  } else {
    progress.answered++
    for (const warning of end.warnings ?? []) progress.warnings.add(warning)
  }
  onProgress?.(progress)
}

/** Returns a function to call at each prompt's end. It calls `giveUp` when too many in a row failed or were degraded. */
function watchForGivingUp(giveUp: (reason: ErrorRecord) => void) {
  const isHopeless = createGiveUp()
  return (end: AnswerRecord, failed: ErrorRecord[]) => {
    const reason = 'error' in end ? end.error : end.degraded ? failed.find(isLasting) : undefined
    if (isHopeless(reason) && reason) giveUp(reason)
  }
}
