/** How far a run has come. */
import { countCompletions, type Plan } from '../core/plan.ts'
import type { ErrorRecord } from '../core/result.ts'
import type { Ledger, Spending } from './budget.ts'

/** How far a run is, as a status line shows it. */
export interface Progress {
  /** Prompts there are, and the completions that their plan asks for. */
  prompts: number
  completions: number
  /** Prompts with an answer, those of earlier runs included. */
  answered: number
  /** Answers that are less than the plan asked for. */
  degraded: number
  /** Prompts that failed in this run. */
  failed: number
  /** Completions made in this run, and in all runs. */
  madeNow: number
  made: number
  /** All that the journal holds. */
  readonly spent: Spending
}

/** Failures with the same reason. */
export interface FailureGroup {
  error: ErrorRecord
  count: number
  /** The first prompt that it befell. */
  id: string
}

/** A progress with nothing done. */
export function createProgress(plan: Plan, ledger: Ledger, prompts: number): Progress {
  return {
    prompts,
    completions: prompts * countCompletions(plan),
    answered: 0,
    degraded: 0,
    failed: 0,
    madeNow: 0,
    made: 0,
    get spent() {
      return ledger.spent
    },
  }
}

/** Adds a failure to its group. The same kind and message make a group; there are at most `MAX_GROUPS`. */
export function addFailure(groups: FailureGroup[], id: string, error: ErrorRecord): void {
  const isSame = (g: FailureGroup) => g.error.kind === error.kind && g.error.message === error.message
  const group = groups.find(isSame) ?? (groups.length < MAX_GROUPS ? undefined : groups.at(-1))
  if (group) group.count++
  else groups.push({ error, count: 1, id })
}

const MAX_GROUPS = 20
