/** When a run of many items gives up: item after item fails for a reason that the next would not escape. */

const LASTING_KINDS = ['auth', 'billing', 'not-found', 'usage']
const HOPELESS_KINDS = [...LASTING_KINDS, 'unreachable']
const HOPELESS_COUNT = 5

/** Whether a failure of this kind does not pass by itself. */
export const isLasting = ({ kind }: { kind: string }): boolean => LASTING_KINDS.includes(kind)

/**
 * Returns a function to call with the failure of each item, or without one if it went well. It returns true once five
 * items in a row failed for a reason that does not pass, or because nothing could be reached.
 */
export function createGiveUp(): (failure?: { kind: string }) => boolean {
  let count = 0
  return (failure) => {
    count = failure && HOPELESS_KINDS.includes(failure.kind) ? count + 1 : 0
    return count >= HOPELESS_COUNT
  }
}
