/**
 * How many threads to use. The library's threads wait for each other many hundred times per token, and spin while they
 * wait: with fewer free cores than threads a token takes ten times as long, or longer.
 */
import { cpus } from 'node:os'

/** Milliseconds over which use is measured. */
const WINDOW_MS = 300

/** A reading of what this process and the machine have used. */
export interface Usage {
  atMs: number
  /** Milliseconds that this process has used. */
  ownMs: number
  /**
   * Milliseconds that the machine's cores were idle. Time of processes with a nice value does not count as idle: two
   * spinning threads beside a process of nice 19 were seen to share one core, without progress.
   */
  idleMs: number
}

/** Cores that this process had or could have had between two readings, from 1. */
export function countFreeCores(before: Usage, now: Usage): number {
  const had = now.ownMs - before.ownMs + (now.idleMs - before.idleMs)
  return Math.max(1, Math.round(had / (now.atMs - before.atMs)))
}

/** Reads the usage now. */
export function readUsage(): Usage {
  const { user, system } = process.cpuUsage()
  const idleMs = cpus().reduce((sum, { times }) => sum + times.idle, 0)
  return { atMs: performance.now(), ownMs: (user + system) / 1000, idleMs }
}

/** Measures how many cores are free. */
export interface CoreGauge {
  /** The free cores. Call it often: it measures again from time to time. */
  count(): number
  /** Drops what happened since the last call: this process did nothing then. */
  resume(): void
}

/** A gauge. It reports an unlimited number of cores until it has measured for a while. */
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

/** Batches that the engines of this process decode now. */
let decoding = 0

/**
 * Decodes a batch with this engine's share of the free cores: engines that decode at the same time divide the cores that
 * are free to the process.
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
