/** Who is answered next: a bounded number at once, the others wait, and no client can starve the rest. */
import { ApiError } from '../../request/api-error.ts'

export interface QueueOptions {
  /** Requests answered at once. */
  maxRunning: number
  /** Requests that may wait, half of them at most of one client. */
  maxWaiting: number
}

export interface Queue {
  /**
   * Resolves when it is the request's turn; the release is to be called once.
   * @throws ApiError 429, at once and not as a rejection, where no more may wait
   */
  enter(client: string, signal: AbortSignal): Promise<() => void>
  count(): { running: number; waiting: number }
  /** Resolves once nothing runs or waits. */
  idle(): Promise<void>
}

interface Waiter {
  client: string
  start: () => void
}

/** The client with the fewest requests running is next; among equals, whoever waits longest. */
export function createQueue({ maxRunning, maxWaiting }: QueueOptions): Queue {
  const running = new Map<string, number>()
  const waiting: Waiter[] = []
  let total = 0
  let meanMs = 2_000
  let idlers: (() => void)[] = []

  const take = (client: string) => {
    total++
    running.set(client, (running.get(client) ?? 0) + 1)
    const startMs = performance.now()
    let isOut = false
    return () => {
      if (isOut) return
      isOut = true
      meanMs += (performance.now() - startMs - meanMs) / 8
      total--
      const left = (running.get(client) ?? 1) - 1
      if (left === 0) running.delete(client)
      else running.set(client, left)
      startNext()
    }
  }
  const startNext = () => {
    while (total < maxRunning && waiting.length > 0) {
      const counts = waiting.map(({ client }) => running.get(client) ?? 0)
      const [next] = waiting.splice(counts.indexOf(Math.min(...counts)), 1)
      next?.start()
    }
    if (total === 0) for (const resolve of idlers.splice(0)) resolve()
  }
  const refuse = () => {
    const seconds = Math.min(60, Math.max(1, Math.ceil((meanMs * waiting.length) / maxRunning / 1_000)))
    throw new ApiError(429, `${waiting.length} requests are waiting; try again in ${seconds} s`, {
      code: 'queue_full',
      headers: { 'retry-after': String(seconds) },
    })
  }
  const isFull = (client: string) =>
    waiting.length >= maxWaiting || waiting.filter((w) => w.client === client).length >= maxWaiting / 2

  return {
    enter: (client, signal) => {
      if (total < maxRunning && waiting.length === 0) return Promise.resolve(take(client))
      if (isFull(client)) refuse()
      return new Promise((resolve, reject) => {
        const leave = () => {
          waiting.splice(waiting.indexOf(waiter), 1)
          reject(signal.reason)
          startNext()
        }
        const start = () => {
          signal.removeEventListener('abort', leave)
          resolve(take(client))
        }
        const waiter = { client, start }
        waiting.push(waiter)
        if (signal.aborted) leave()
        else signal.addEventListener('abort', leave, { once: true })
      })
    },
    count: () => ({ running: total, waiting: waiting.length }),
    idle: () => {
      if (total === 0 && waiting.length === 0) return Promise.resolve()
      return new Promise<void>((resolve) => {
        idlers = [...idlers, resolve]
      })
    },
  }
}
