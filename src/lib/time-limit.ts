/** Stops work that takes too long, in the middle of a loop or of a regular expression. */
import { createContext, Script } from 'node:vm'

/** The work took longer than it may. */
export class TimeLimitError extends Error {}

const context = createContext({}) as { work?: () => unknown }
const script = new Script('work()')

/**
 * Runs work that does not wait for anything, and returns what it returns. The limit is wall time, so a busy machine may reach
 * it without fault: work that reaches it is tried once more.
 * @throws TimeLimitError if the work takes longer twice, and what the work throws
 */
export function within<T>(limitMs: number, work: () => T): T {
  try {
    return attempt(limitMs, work)
  } catch (error) {
    if (!(error instanceof TimeLimitError)) throw error
    return attempt(limitMs, work)
  }
}

function attempt<T>(limitMs: number, work: () => T): T {
  context.work = work
  try {
    return script.runInContext(context, { timeout: limitMs })
  } catch (error) {
    if ((error as { code?: string }).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error
    throw new TimeLimitError(`takes longer than ${limitMs} ms`)
  } finally {
    context.work = undefined
  }
}
