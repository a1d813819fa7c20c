/** The end of a server: no new requests, and time for those that are running. */
import { ApiError } from './api-error.ts'
import type { Queue } from './queue.ts'

/** Whether the server is stopping, and the signal that ends what still runs then. */
export interface Drain {
  isDraining(): boolean
  /** Aborts when the time for the end is over. */
  signal: AbortSignal
  /** Refuses new requests from now on, and waits at most `timeoutMs` for those that are running. */
  end(timeoutMs: number): Promise<void>
}

/** Starts open. */
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
