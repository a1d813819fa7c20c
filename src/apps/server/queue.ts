/** Decides which request is answered next. A limited number run at once, the others wait, and no client can block the rest. */
import { ApiError } from './api-error.ts'

/** Limits of running and waiting requests. */
export interface QueueOptions {
  /** Requests answered at once. */
  maxRunning: number
  /** Requests that may wait; one client may have at most half of them. */
  maxWaiting: number
}

/** The queue of a server's requests. */
export interface Queue {
  /**
   * Resolves when it is the request's turn. Call the returned function when the request has ended.
   * @throws ApiError 429 if no more requests may wait. It is thrown at once, not as a rejection.
   */
  enter(client: string, signal: AbortSignal): Promise<() => void>
  count(): { running: number; waiting: number }
  /** Resolves when no request runs or waits. */
  idle(): Promise<void>
}

interface Waiter {
  client: string
  start: () => void
}

/** Makes a queue. The client with the fewest running requests is next; among equals, the one that has waited longest. */
export function createQueue({ maxRunning, maxWaiting }: QueueOptions): Queue {
  const running = createRunning()
  const waiting: Waiter[] = []
  let idlers: (() => void)[] = []

  const start = (client: string) => {
    const end = running.start(client)
    return () => end() && startNext()
  }
  const startNext = () => {
    while (running.total() < maxRunning && waiting.length > 0) {
      const counts = waiting.map(({ client }) => running.of(client))
      const [next] = waiting.splice(counts.indexOf(Math.min(...counts)), 1)
      next?.start()
    }
    if (running.total() === 0) for (const resolve of idlers.splice(0)) resolve()
  }
  const isFull = (client: string) =>
    waiting.length >= maxWaiting || waiting.filter((w) => w.client === client).length >= maxWaiting / 2
  const wait = (client: string, signal: AbortSignal) =>
    new Promise<() => void>((resolve, reject) => {
      const leave = () => {
        waiting.splice(waiting.indexOf(waiter), 1)
        reject(signal.reason)
        startNext()
      }
      const waiter: Waiter = {
        client,
        start: () => {
          signal.removeEventListener('abort', leave)
          resolve(start(client))
        },
      }
      waiting.push(waiter)
      if (signal.aborted) leave()
      else signal.addEventListener('abort', leave, { once: true })
    })

  return {
    enter: (client, signal) => {
      if (running.total() < maxRunning && waiting.length === 0) return Promise.resolve(start(client))
      if (isFull(client)) throw queueFull(waiting.length, (running.meanMs() * waiting.length) / maxRunning)
      return wait(client, signal)
    },
    count: () => ({ running: running.total(), waiting: waiting.length }),
    idle: () => {
      if (running.total() === 0 && waiting.length === 0) return Promise.resolve()
      return new Promise<void>((resolve) => {
        idlers = [...idlers, resolve]
      })
    },
  }
}

/** Counts running requests per client, and the mean of their times. */
function createRunning() {
  const counts = new Map<string, number>()
  let total = 0
  let meanMs = 2_000
  return {
    total: () => total,
    of: (client: string) => counts.get(client) ?? 0,
    /** Mean time of about the last eight requests. */
    meanMs: () => meanMs,
    /** Counts a start. The returned function counts the end, and says whether the request was still running. */
    start: (client: string) => {
      total++
      counts.set(client, (counts.get(client) ?? 0) + 1)
      const startMs = performance.now()
      let isRunning = true
      return () => {
        if (!isRunning) return false
        isRunning = false
        meanMs += (performance.now() - startMs - meanMs) / 8
        total--
        const rest = (counts.get(client) ?? 1) - 1
        if (rest === 0) counts.delete(client)
        else counts.set(client, rest)
        return true
      }
    },
  }
}

/** Makes the error of a full queue. @param waitMs the probable time for all waiting requests */
function queueFull(waiting: number, waitMs: number): ApiError {
  const seconds = Math.min(60, Math.max(1, Math.ceil(waitMs / 1_000)))
  return new ApiError(429, `${waiting} requests are waiting; try again in ${seconds} s`, {
    code: 'queue_full',
    headers: { 'retry-after': String(seconds) },
  })
}
