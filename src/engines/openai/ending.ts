/** Ends completions: with their usage, or before it if an early end is asked for. */
import type { CompletionRequest } from '../../core/provider/engine.ts'
import { endTranscript } from '../transcript.ts'
import type { WireUsage } from './chunk.ts'
import {
  type Completion,
  endCompletion,
  hasGrown,
  isKnownEnd,
  reportUsage,
  toFinishReason,
} from './completion.ts'
import { believesFirst, type Ends, isProven, noteReasons } from './ends.ts'
import { accountFor } from './usage.ts'

/** The completions of a request, and what is known of their ends. */
export interface Ending {
  request: CompletionRequest
  completions: Completion[]
  ends: Ends
  /** Completions that finished, and whose usage is not known yet. */
  awaitingUsage: Completion[]
  /** Completions that have ended on an estimate. What comes of them later still counts. */
  early: Completion[]
  /** Usage that came without saying for which completions. */
  reportedUsage?: WireUsage
  /** Looks again for completions of which nothing more has come. */
  timer?: NodeJS.Timeout
}

/** Whether only the usage may still come. */
export function areFinished({ completions }: Ending): boolean {
  return completions.every(({ received }) => received.isSettled)
}

/** Remembers that a completion has finished. */
export function awaitUsage({ awaitingUsage }: Ending, completion: Completion): void {
  const isKnown = completion.hasEnded || awaitingUsage.includes(completion)
  if (!isKnown && toFinishReason(completion.received)) awaitingUsage.push(completion)
}

/** After an answer that came to its end: ends the completions that are whole, whether the server says so or not. */
export function endProven(ending: Ending, isDone: boolean): void {
  const { completions, early, ends } = ending
  noteReasons(ends, completions)
  for (const completion of completions) {
    if (!completion.hasEnded && isProven(completion, ends, isDone)) awaitUsage(ending, completion)
  }
  // No usage came for these, but their texts are certain now.
  const changed = early.filter((completion) => completion.isDoubted || hasGrown(completion))
  ending.early = early.filter((completion) => !changed.includes(completion))
  ending.awaitingUsage.push(...changed)
}

/** After an answer that broke off: a completion that had ended and went on is half, and is asked for again. */
export function reopenGrown(ending: Ending): void {
  const grown = ending.early.filter(hasGrown)
  if (grown.length > 0) ending.ends.goOn = true
  ending.early = ending.early.filter((completion) => !grown.includes(completion))
  for (const completion of grown) Object.assign(completion, { hasEnded: false, endedChars: -1 })
}

/**
 * Ends the completions whose usage was awaited, with what the server reported since the last time, if anything. It also
 * stands for those that have ended on an estimate.
 */
export function endAwaiting(ending: Ending): void {
  const { request, completions, awaitingUsage, reportedUsage: reported } = ending
  const due = reported ? [...ending.early, ...awaitingUsage] : awaitingUsage
  if (due.length === 0) return
  due.sort((a, b) => a.index - b.index)
  if (reported) ending.early = []
  for (const { received } of awaitingUsage) endTranscript(received)
  for (const [completion, usage] of accountFor(due, reported, request)) {
    if (usage.calls > 0) usage.sharedBy = completions.filter(({ received }) => received.hasBegun).length
    if (completion.endedChars !== undefined) reportUsage(completion, usage, request)
    else endCompletion(completion, usage, request)
  }
  ending.awaitingUsage = []
  ending.reportedUsage = undefined
}

/** Ends completions before their server reports their usage. What it reports before all have finished is not all. */
export function endEarly(ending: Ending): void {
  const isInDoubt = endDoubtful(ending)
  const { awaitingUsage, reportedUsage } = ending
  const isAll = areFinished(ending)
  if (!isAll) ending.reportedUsage = undefined
  endAwaiting(ending)
  if (!isAll && isInDoubt) ending.reportedUsage = reportedUsage
  if (isAll && reportedUsage) return
  ending.early.push(...awaitingUsage)
  for (const completion of awaitingUsage) completion.isEarly = true
}

/** Nothing more of a completion came for so long after its finish reason. */
const QUIET_MS = 1_000

/**
 * Finishes completions whose first piece came with the finish reason, if other answers of this server show that this is
 * the end. If nothing is known of the server, silence is taken for it, with a warning that the end of the answer takes
 * back. Returns whether there are completions of this kind.
 */
function endDoubtful(ending: Ending): boolean {
  const { completions, ends } = ending
  if (!completions.some(({ received }) => received.isDoubtful)) return false
  const doubtful = completions.filter(({ received }) => received.isDoubtful)
  ends.comeLast ||= completions.some(({ received }) => received.openPieces > 0)
  ends.goOn ||= doubtful.some(({ received }) => received.hasGoneOn)
  const isSure = believesFirst(ends)
  const open = doubtful.filter(({ hasEnded, received }) => !hasEnded && isWellEnded(received))
  let waitMs = Number.POSITIVE_INFINITY
  for (const completion of ends.goOn ? [] : open) {
    const quietMs = performance.now() - (completion.received.endMs ?? 0)
    if (isSure || quietMs >= QUIET_MS) {
      completion.isDoubted = !isSure
      awaitUsage(ending, completion)
    } else waitMs = Math.min(waitMs, QUIET_MS - quietMs)
  }
  clearTimeout(ending.timer)
  if (waitMs <= QUIET_MS) ending.timer = setTimeout(() => endEarly(ending), Math.ceil(waitMs))
  return true
}

function isWellEnded(received: Completion['received']): boolean {
  return isKnownEnd(received) && toFinishReason(received) !== undefined
}
