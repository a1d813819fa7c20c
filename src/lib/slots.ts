/** A number of places that many want: who may go next, and no place idle while somebody waits. */

/** Places that were granted. They are given back one by one, or together, as the work on them ends. */
export interface Grant {
  /** 1 to what was asked for. */
  readonly count: number
  /** The place in the queue; whoever asks for the rest of what was wanted keeps it by handing it in again. */
  readonly turn: number
  /** Gives back places, all that are left where no number is given. More than are left is all that are left. */
  release(places?: number): void
}

export interface Wish {
  /** Lower goes first; 0 where absent. Equals go by turn. */
  priority?: number
  turn?: number
  /** Fewer places are not taken: rather are they left idle until there are enough. 1 where absent. */
  least?: number
  signal?: AbortSignal
}

/** A semaphore of several places at once. */
export interface Slots {
  /** Places there are, from 1. May be set: fewer than are taken let nobody in until enough came back. */
  capacity: number
  /** Places taken. */
  readonly inFlight: number
  /** Takers in the queue. */
  readonly waiting: number
  /**
   * Waits until there is a place and it is this taker's turn, then grants as many as are free, `want` at most.
   * A grant may be smaller than the wish: no place is idle while somebody waits for whom it would be enough.
   * @throws the signal's reason when it aborts first
   */
  take(want: number, wish?: Wish): Promise<Grant>
}

interface Taker {
  want: number
  least: number
  priority: number
  turn: number
  grant: (grant: Grant) => void
}

/** Slots with `capacity` places, all free. */
export function createSlots(capacity: number): Slots {
  /** The next is last, so that taking it moves nothing. */
  const queue: Taker[] = []
  let inFlight = 0
  let turns = 0

  const grantPlaces = (count: number, turn: number): Grant => {
    inFlight += count
    let left = count
    const release = (places = left) => {
      const freed = Math.min(left, places)
      left -= freed
      inFlight -= freed
      serve()
    }
    return { count, turn, release }
  }
  const isEnough = (least: number) => capacity - inFlight >= Math.min(least, capacity)
  const serve = () => {
    for (let next = queue.at(-1); next && isEnough(next.least); next = queue.at(-1)) {
      queue.pop()
      next.grant(grantPlaces(Math.min(next.want, capacity - inFlight), next.turn))
    }
  }

  return {
    get capacity() {
      return capacity
    },
    set capacity(places: number) {
      capacity = places
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
        const grant = (places: Grant) => {
          signal?.removeEventListener('abort', onAbort)
          resolve(places)
        }
        const taker: Taker = { want, least: Math.min(least, want), priority, turn, grant }
        signal?.addEventListener('abort', onAbort, { once: true })
        queue.splice(placeOf(taker, queue), 0, taker)
        serve()
      })
    },
  }
}

/** Where a taker stands in a queue whose next is last. */
function placeOf(taker: Taker, queue: Taker[]): number {
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
