/**
 * How many threads are worth having. The library's threads wait for each other many hundred times a token, and
 * spin while they do: with fewer cores free than threads a token takes ten times as long, or worse.
 */
import { cpus } from 'node:os'

/** Milliseconds over which use is measured. */
const WINDOW_MS = 300

export interface Usage {
  atMs: number
  /** Milliseconds that this process has used. */
  ownMs: number
  /**
   * Milliseconds that the machine's cores were idle. What was nice does not count: a spinning pair of threads beside one
   * such process of 19 was seen to share one core, and to get nowhere.
   */
  idleMs: number
}

/** Cores that this process had or could have had between two readings, from 1. */
export function countFreeCores(before: Usage, now: Usage): number {
  const had = now.ownMs - before.ownMs + (now.idleMs - before.idleMs)
  return Math.max(1, Math.round(had / (now.atMs - before.atMs)))
}

export function readUsage(): Usage {
  const { user, system } = process.cpuUsage()
  const idleMs = cpus().reduce((sum, { times }) => sum + times.idle, 0)
  return { atMs: performance.now(), ownMs: (user + system) / 1000, idleMs }
}

export interface CoreGauge {
  /** The cores that are free. To be called often: it looks again from time to time. */
  count(): number
  /** Says that what happened since the last call is not to be counted, as nothing was done here. */
  resume(): void
}

/** Any number of cores is free until the gauge has seen enough. */
export function createCoreGauge(read = readUsage): CoreGauge {
  let before = read()
  let free = Number.POSITIVE_INFINITY
  return {
    count() {
      if (performance.now() - before.atMs < WINDOW_MS) return free
      const now = read()
      free = countFreeCores(before, now)
      before = now
      return free
    },
    resume() {
      before = read()
    },
  }
}

/** Batches that the engines of this process decode at this moment. */
let decoding = 0

/**
 * Decodes a batch with this engine's share of the free cores: what is free to the process is free to it once, however
 * many engines it has at work.
 */
export async function decodeWithShare(
  cores: CoreGauge,
  decode: (threads: number) => Promise<void>,
): Promise<void> {
  decoding++
  try {
    await decode(Math.max(1, Math.floor(cores.count() / decoding)))
  } finally {
    decoding--
  }
}
