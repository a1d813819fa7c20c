/** Stops work that takes too long, in the middle of a loop or of a regular expression. */
import { createContext, Script } from 'node:vm'

/** The work took longer than it may. */
export class TimeLimitError extends Error {}

const context = createContext({}) as { work?: () => unknown }
const script = new Script('work()')

/** Tries of work that a busy machine does not let run. */
const TRIES = 5

/**
 * Runs work that does not wait for anything, and returns what it returns. The limit is for the processor's time: on a busy
 * machine the work is tried again, and each time it may take twice as long by the clock.
 * @throws TimeLimitError if the work takes longer, and what the work throws
 */
export function within<T>(limitMs: number, work: () => T): T {
  for (let i = 0; ; i++) {
    const startMs = processorMs()
    try {
      return attempt(limitMs * 2 ** i, work)
    } catch (error) {
      if (!(error instanceof TimeLimitError)) throw error
      // A thread has used a little less than what has passed on the clock.
      const isTooMuch = processorMs() - startMs > limitMs * 0.8
      if (isTooMuch || i + 1 === TRIES) throw new TimeLimitError(`takes longer than ${limitMs} ms`)
    }
  }
}

/** The processor's time of this thread. Before Node 23.9 it is that of all threads. */
function processorMs(): number {
  const { user, system } = (process.threadCpuUsage ?? process.cpuUsage)()
  return (user + system) / 1_000
}

function attempt<T>(limitMs: number, work: () => T): T {
  context.work = work
  try {
    return script.runInContext(context, { timeout: limitMs })
  } catch (error) {
    if ((error as { code?: string }).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error
    throw new TimeLimitError()
  } finally {
    context.work = undefined
  }
}
