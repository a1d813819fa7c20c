/** Decides when a run of many items gives up: several in a row fail for a reason that does not pass by itself. */

const LASTING_KINDS = ['auth', 'billing', 'not-found', 'usage']
const HOPELESS_KINDS = [...LASTING_KINDS, 'unreachable']
const HOPELESS_COUNT = 5

/** Whether a failure of this kind stays until a person changes something: a wrong key, an unpaid bill, a wrong name. */
export const isLasting = ({ kind }: { kind: string }): boolean => LASTING_KINDS.includes(kind)

/**
 * Returns a function to call at the end of each item, with its failure if it failed. It returns true when five items in a
 * row failed for a lasting reason, or because the server was unreachable.
 */
export function createGiveUp(): (failure?: { kind: string }) => boolean {
  let count = 0
  return (failure) => {
    count = failure && HOPELESS_KINDS.includes(failure.kind) ? count + 1 : 0
    return count >= HOPELESS_COUNT
  }
}
