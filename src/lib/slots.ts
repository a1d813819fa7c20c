/** A semaphore with priorities. */

/** Slots that were granted. Release them one by one or together. */
export interface Grant {
  /** From 1 to the number asked for. */
  readonly count: number
  /** The position in the queue. Pass it to the next `take` to keep it. */
  readonly turn: number
  /** Releases this many slots, at most those that are left; without a number all of them. */
  release(count?: number): void
}

/** How slots are taken. */
export interface TakeOptions {
  /** Lower goes first; default 0. Equals go by turn. */
  priority?: number
  turn?: number
  /** Waits until at least this many slots are free, even if some stay idle meanwhile; default 1. */
  least?: number
  signal?: AbortSignal
}

/** A semaphore of which several slots can be taken at once. */
export interface Slots {
  /** The number of slots, from 1. It can be changed; if more are taken then, callers wait until enough are released. */
  capacity: number
  /** Slots that are taken. */
  readonly inFlight: number
  /** Callers in the queue. */
  readonly waiting: number
  /**
   * Waits for this caller's turn and a free slot, then grants as many as are free, at most `want`. No slot stays idle if
   * it is enough for the next caller in the queue.
   * @throws the signal's reason if it aborts first
   */
  take(want: number, options?: TakeOptions): Promise<Grant>
}

interface Taker {
  want: number
  least: number
  priority: number
  turn: number
  grant: (grant: Grant) => void
}

/** A semaphore with `capacity` slots, all free. */
export function createSlots(capacity: number): Slots {
  /** The next caller is last, so that removing it moves nothing. */
  const queue: Taker[] = []
  let [inFlight, turns] = [0, 0]

  const grantSlots = (count: number, turn: number): Grant => {
    inFlight += count
    let left = count
    const release = (released = left) => {
      const freed = Math.min(left, released)
      left -= freed
      inFlight -= freed
      serveSoon()
    }
    return { count, turn, release }
  }
  const isEnough = (least: number) => capacity - inFlight >= Math.min(least, capacity)
  const serve = () => {
    for (let next = queue.at(-1); next && isEnough(next.least); next = queue.at(-1)) {
      queue.pop()
      next.grant(grantSlots(Math.min(next.want, capacity - inFlight), next.turn))
    }
  }

  const serveSoon = oncePerTurn(serve)

  return {
    get capacity() {
      return capacity
    },
    set capacity(slots: number) {
      capacity = slots
      serve()
    },
    get inFlight() {
      return inFlight
    },
    get waiting() {
      return queue.length
    },
    async take(want, { priority = 0, turn = turns++, least = 1, signal } = {}) {
      signal?.throwIfAborted()
      return new Promise((resolve, reject) => {
        const onAbort = () => {
          queue.splice(queue.indexOf(taker), 1)
          reject(signal?.reason)
          serve()
        }
        const grant = (granted: Grant) => {
          signal?.removeEventListener('abort', onAbort)
          resolve(granted)
        }
        const taker: Taker = { want, least: Math.min(least, want), priority, turn, grant }
        signal?.addEventListener('abort', onAbort, { once: true })
        queue.splice(positionOf(taker, queue), 0, taker)
        serve()
      })
    },
  }
}

/** What is released in one turn is granted together: samples that end at one time make room for one request, not for many. */
function oncePerTurn(serve: () => void): () => void {
  let isDue = false
  return () => {
    if (isDue) return
    isDue = true
    queueMicrotask(() => {
      isDue = false
      serve()
    })
  }
}

/** The position of a taker in a queue whose next is last. */
function positionOf(taker: Taker, queue: Taker[]): number {
  let [low, high] = [0, queue.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (goesBefore(queue[middle] as Taker, taker)) high = middle
    else low = middle + 1
  }
  return low
}

function goesBefore(a: Taker, b: Taker): boolean {
  return a.priority === b.priority ? a.turn < b.turn : a.priority < b.priority
}
