/** What proves that an answer is whole. */
import { type Completion, mayBeWhole } from './completion.ts'
import { type Ending, readFinish } from './finish.ts'

/** How the answers of a server end, as far as it is known. */
export interface Ends {
  /** It has given a finish reason that is known: an answer without one is broken. */
  hasReasons: boolean
  /** The ends that it gives to whole answers although they prove nothing: unknown words, or '' for no word. */
  accepted: Set<string>
}

/** Of a server that was not asked yet. */
export function expectAnything(): Ends {
  return { hasReasons: false, accepted: new Set() }
}

/** Remembers whether a server gives finish reasons. */
export function noteReasons(ends: Ends, completions: Completion[]): void {
  ends.hasReasons ||= completions.some((one) => !['none', 'unknown', 'failure'].includes(endingOf(one)))
}

function endingOf({ received: { finishReason = '' } }: Completion): Ending | 'none' {
  return finishReason === '' ? 'none' : readFinish(finishReason)
}

/**
 * Whether a completion is whole after its answer ended without an error. A finish reason proves it. Without one, text
 * and the server's word that it is done prove it too, if this server never gives reasons. An unknown finish reason is
 * believed when the second attempt ends in the same way: to ask again would not help. A connection that only closes
 * proves nothing, however often.
 */
export function isProven(completion: Completion, ends: Ends, isDone: boolean): boolean {
  const { finishReason: word = '' } = completion.received
  const ending = endingOf(completion)
  if (ending === 'failure') return false
  if (ending !== 'none' && ending !== 'unknown') return true
  if ((ending === 'none' && ends.hasReasons) || !mayBeWhole(completion)) return false
  if (word === '' && !isDone) return false
  const isAccepted = word === '' || ends.accepted.has(word) || completion.unprovenEnd === word
  completion.unprovenEnd = word
  if (!isAccepted) return false
  ends.accepted.add(word)
  completion.warnings = [...(completion.warnings ?? []), describe(word)]
  return true
}

function describe(word: string): string {
  const gave = word === '' ? 'no finish reason' : `the finish reason "${word}", which is not known`
  return `the server gave ${gave}: the text may not be whole`
}
