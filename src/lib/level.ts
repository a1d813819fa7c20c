/** Finds how many requests at a time a server can use: more as long as its throughput grows, fewer when it refuses. */
import type { Slots } from './slots.ts'

/** One request that is measured. */
export interface Measure {
  /** It ended well, after so many units (characters) in `streams` texts. */
  end(units: number, streams: number): void
  /** The server has refused it because there are too many. */
  refuse(): void
}

/** Moves the capacity of slots. */
export interface Level {
  begin(): Measure
}

/** Options of a level. */
export interface LevelOptions {
  /** Largest capacity; default 256. */
  most?: number
  /** Milliseconds; only differences count. */
  now?: () => number
}

/** The first step, and the next ones. */
const FIRST = 4
const NEXT = 2
/** More than this is growth, and not chance. */
const GROWTH = 1.03
/** Doubling brings less than this: the server is nearly full. */
const LITTLE = 1.1
/** Windows until a higher level is tried again. */
const PROBE_WINDOWS = 12
const PROBE = 1.25
const BACK_OFF = 0.7

/**
 * A level that begins at the slots' capacity. A text that takes twice as long while there are twice as many shows that the
 * server is full: throughput is capacity times the speed of one text. So a level is judged by texts that began
 * after it, without the first ones, which did not wait at the server, and only if all slots were taken.
 */
export function createLevel(
  slots: Slots,
  { most = 256, now = () => performance.now() }: LevelOptions = {},
): Level {
  /** Counts the changes: what began before one says nothing of the level after it. */
  let epoch = 0
  let factor: number = FIRST
  let windows = 0
  /** Below the level at which the server has refused; it rises slowly, since limits change. */
  let ceiling = most
  let best: { capacity: number; rate: number } | undefined
  const window = createWindow(slots)
  const set = (capacity: number) => {
    const next = Math.max(1, Math.min(ceiling, Math.round(capacity)))
    window.begin()
    windows = 0
    if (next !== slots.capacity) epoch++
    slots.capacity = next
  }
  const grow = () => {
    const more = slots.capacity >= ceiling ? 0 : Math.max(1, slots.capacity * (factor - 1))
    if (more === 0 || factor === FIRST) factor = more === 0 ? 1 : NEXT
    set(slots.capacity + more)
  }
  const judge = (rate: number) => {
    const growth = best ? rate / best.rate : Number.POSITIVE_INFINITY
    if (factor === 1) {
      if (best) best.rate += (rate - best.rate) / 4
      if (++windows < PROBE_WINDOWS) return
      ceiling = Math.min(most, ceiling + 1)
      factor = PROBE
      best = { capacity: slots.capacity, rate: best?.rate ?? rate }
      return grow()
    }
    if (growth > (factor === PROBE ? LITTLE : GROWTH)) best = { capacity: slots.capacity, rate }
    if (growth >= LITTLE && factor !== PROBE) return grow()
    factor = 1
    set(best?.capacity ?? slots.capacity)
  }
  return {
    begin() {
      const [began, startMs] = [epoch, now()]
      const wasFull = isFull(slots)
      return {
        end(made, streams) {
          if (began !== epoch || made <= 0 || !(wasFull && isFull(slots))) return
          const took = (now() - startMs) * streams
          window.add(made, took, { streams, isFirst: !best, onRate: judge })
        },
        refuse() {
          if (began !== epoch) return
          factor = 1
          best = undefined
          ceiling = Math.max(1, slots.capacity - 1)
          set(Math.min(slots.capacity - 1, slots.capacity * BACK_OFF))
        },
      }
    },
  }
}

/** Whether all slots are taken. */
function isFull({ waiting, inFlight, capacity }: Slots): boolean {
  return waiting > 0 || inFlight >= capacity
}

/** Adds up what texts that began at this level brought. */
function createWindow(slots: Slots) {
  let [units, ms, count, skipped] = [0, 0, 0, 0]
  return {
    begin() {
      ;[units, ms, count, skipped] = [0, 0, 0, 0]
    },
    /** Tells the throughput once it is known. The first texts of a level count only if it is the first level. */
    add(
      made: number,
      took: number,
      { streams, isFirst, onRate }: { streams: number; isFirst: boolean; onRate: (rate: number) => void },
    ): void {
      if (!isFirst && skipped < slots.capacity) {
        skipped += streams
        return
      }
      units += made
      ms += took
      count += streams
      if (count < Math.max(4, slots.capacity / 2)) return
      const rate = (slots.capacity * units) / Math.max(1, ms)
      ;[units, ms, count] = [0, 0, 0]
      onRate(rate)
    },
  }
}
