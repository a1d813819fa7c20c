/** What proves that an answer is whole. */
import { type Completion, hasGrown, mayBeWhole } from './completion.ts'
import { type Ending, readFinish } from './finish.ts'

/** How the answers of a server end, as far as it is known. */
export interface Ends {
  /** It has given a finish reason that is known: an answer without one is broken. */
  hasReasons: boolean
  /** The ends that it gives to whole answers although they prove nothing: unknown words, or '' for no word. */
  accepted: Set<string>
  /** A piece came without a finish reason: it sends them last. */
  comeLast: boolean
  /** More came after a finish reason: it proves nothing. */
  goOn: boolean
  /** Answers of which each completion was one piece with its finish reason. */
  wholes: number
}

/** Of a server that was not asked yet. */
export function expectAnything(): Ends {
  return { hasReasons: false, accepted: new Set(), comeLast: false, goOn: false, wholes: 0 }
}

/** Remembers whether a server gives finish reasons, and where. */
export function noteReasons(ends: Ends, completions: Completion[]): void {
  const known = completions.filter((one) => !['none', 'unknown', 'failure'].includes(endingOf(one)))
  ends.hasReasons ||= known.length > 0
  ends.goOn ||= known.some((one) => one.received.hasGoneOn || hasGrown(one))
  ends.comeLast ||= known.some(({ received }) => received.openPieces > 0)
  if (known.length > 0 && known.every(({ received }) => received.isDoubtful)) ends.wholes++
}

/** So many answers of which each completion was one piece show that this server sends whole texts. */
const WHOLES = 3

/** Whether a finish reason that came with the first piece is the end, if no text ever went on after one. */
export function believesFirst({ comeLast, wholes }: Ends): boolean {
  return comeLast || wholes >= WHOLES
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
