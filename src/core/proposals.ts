/** Says whether the text of a completion can be used. */
import { repeatedShare } from '../lib/text.ts'

const MAX_REPEATED_SHARE = 0.3

/** Why a text cannot be used: `empty`, or `runaway` (it repeats itself). Undefined if it can. */
export function findUnusable(text: string): 'empty' | 'runaway' | undefined {
  if (text.trim() === '') return 'empty'
  return repeatedShare(text, MAX_REPEATED_SHARE) > MAX_REPEATED_SHARE ? 'runaway' : undefined
}
