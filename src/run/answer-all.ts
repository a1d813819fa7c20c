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
  prices: Record<string, Price | undefined>
  progress: Progress
  failures: FailureGroup[]
  /** Number of prompts in progress at a time. */
  active?: number
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
  const priorityOf = createPriority(progress.prompts - progress.answered, active)
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
        const end = await answerRow(row, plan, { ...host, priority }, own, state.onEvent)
        noteEnd(end, state)
        watch(end, failed)
        return end
      } finally {
        endReservation?.(took)
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

/** Adds what a line spent to the ledger, and returns it. */
export function countSpent(
  line: PromptLine,
  { ledger, prices }: Pick<RunState, 'ledger' | 'prices'>,
): Spending {
  if ((line.type !== 'completion' && line.type !== 'failure') || !line.usage) return nothingSpent
  const spending = spendingOf(line.usage, prices[line.engine])
  ledger.spend(spending)
  return spending
}

function noteEnd(end: AnswerRecord, state: RunState): void {
  const { progress, failures, onProgress } = state
  countMade(end, progress)
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
