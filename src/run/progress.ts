/** How far a run has come. */
import { countCompletions, type Plan } from '../core/plan.ts'
import type { ErrorRecord } from '../core/provider/errors.ts'
import type { Ledger, Spending } from './budget.ts'

/** How far a run is, as a status line shows it. */
export interface Progress {
  /** All prompts of the run. */
  prompts: number
  /** All completions that the plan asks for. */
  completions: number
  /** Prompts with an answer, those of earlier runs included. */
  answered: number
  /** Answers that are less than the plan asked for. */
  degraded: number
  /** Prompts that failed in this run. */
  failed: number
  /** Completions that this run made. */
  madeNow: number
  /** Completions that this run and earlier ones made. */
  made: number
  /** What was left out of requests or rewritten because a model refuses it, in words. */
  warnings: Set<string>
  /** What this run and earlier ones spent. */
  readonly spent: Spending
}

/** Failures with the same reason. */
export interface FailureGroup {
  error: ErrorRecord
  count: number
  /** The first prompt that failed for it. */
  id: string
}

/** The progress of a run that has done nothing yet. */
export function createProgress(plan: Plan, ledger: Ledger, prompts: number): Progress {
  return {
    prompts,
    completions: prompts * countCompletions(plan),
    answered: 0,
    degraded: 0,
    failed: 0,
    madeNow: 0,
    made: 0,
    warnings: new Set(),
    get spent() {
      return ledger.spent
    },
  }
}

/** Adds a failure to the group with the same kind and message. The last of `MAX_GROUPS` groups takes all others. */
export function addFailure(groups: FailureGroup[], id: string, error: ErrorRecord): void {
  const isSame = (g: FailureGroup) => g.error.kind === error.kind && g.error.message === error.message
  const group = groups.find(isSame) ?? (groups.length < MAX_GROUPS ? undefined : groups.at(-1))
  if (group) group.count++
  else groups.push({ error, count: 1, id })
}

const MAX_GROUPS = 20
