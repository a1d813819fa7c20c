/**
 * Reads a long stream in gulps, for a reader that needs no piece at once: to read a connection costs about the same
 * whether one piece has come or ten. A gulp is short compared with what the stream has lasted.
 */
import type { Socket } from 'node:net'

/** Of the time since the stream began. The end of a stream waits for half a gulp on average. */
const SHARE = 1 / 32
const MAX_MS = 250
/** Gulps of the same length end at the same time, and so do their reads: the process wakes up for all of them at once. */
const STEP_MS = 50
/** A server that sends more in one gulp is not kept waiting. */
const MAX_BYTES = 32 * 1024

/** Lets a connection rest between its reads. */
export interface Gulps {
  /** Call it with each piece that was read. */
  taken(bytes: number): void
  /** The connection rests no more. */
  end(): void
}

/** Gulps of a stream that begins now. */
export function createGulps(socket: Socket): Gulps {
  const startMs = performance.now()
  let bytes = 0
  let [isNoted, isOver] = [false, false]
  const rest = (nowMs: number) => {
    const ms = Math.min(MAX_MS, SHARE * (nowMs - startMs))
    const isSlow = bytes <= MAX_BYTES
    bytes = 0
    isNoted = false
    if (isOver || ms < STEP_MS || !isSlow) return
    socket.pause()
    wakeLater(socket, ms - (ms % STEP_MS), nowMs)
  }
  return {
    taken(length) {
      bytes += length
      if (isNoted) return
      isNoted = true
      afterReads(rest)
    },
    end: () => {
      isOver = true
    },
  }
}

let waiting: ((nowMs: number) => void)[] = []

/** Calls this when all connections were read, and the HTTP client has asked for more, as it does after each read. */
function afterReads(rest: (nowMs: number) => void): void {
  if (waiting.push(rest) > 1) return
  setImmediate(() => {
    const all = waiting
    waiting = []
    const nowMs = performance.now()
    for (const rest of all) rest(nowMs)
  })
}

/** A timer may end early by the time that the reads of a moment take. Then they do not wait for that moment once more. */
const EARLY_MS = 10

/** Connections by the time at which they are read again: one timer for all of them. */
const sleeping = new Map<number, Socket[]>()

function wakeLater(socket: Socket, gulpMs: number, nowMs: number): void {
  const atMs = (Math.floor((nowMs + EARLY_MS) / gulpMs) + 1) * gulpMs
  const others = sleeping.get(atMs)
  if (others) return void others.push(socket)
  const sockets = [socket]
  sleeping.set(atMs, sockets)
  setTimeout(() => {
    sleeping.delete(atMs)
    for (const socket of sockets) socket.resume()
  }, atMs - nowMs)
}
