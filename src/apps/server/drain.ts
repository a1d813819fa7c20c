/** Ends a server: it refuses new requests, and gives running ones time to finish. */
import { ApiError } from './api-error.ts'
import type { Queue } from './queue.ts'

/** The state of a server that may be stopping. */
export interface Drain {
  isDraining(): boolean
  /** Aborts when the time for running requests is over. */
  signal: AbortSignal
  /** Refuses new requests from now on, and waits at most `timeoutMs` for running ones. */
  end(timeoutMs: number): Promise<void>
}

/** Makes a drain that is not stopping yet. */
export function createDrain(queue: Queue): Drain {
  const closing = new AbortController()
  let isDraining = false
  return {
    isDraining: () => isDraining,
    signal: closing.signal,
    end: async (timeoutMs) => {
      isDraining = true
      const stop = () => closing.abort(new ApiError(503, 'the server is stopping', { code: 'stopping' }))
      const timer = setTimeout(stop, timeoutMs)
      await queue.idle()
      clearTimeout(timer)
    },
  }
}
