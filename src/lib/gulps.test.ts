/** Long streams that nobody watches are read in gulps. */
import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createGulps } from './gulps.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => {
  vi.runAllTimers() // the connections of a process wait together: none is left over for the next test
  vi.useRealTimers()
})

/** A connection on which a piece comes every 10 ms: how many were read until then, and how long each rest was. */
function readFor(ms: number, bytes: number) {
  let isPaused = false
  let pausedAt = 0
  const rests: number[] = []
  const socket = Object.assign(new EventEmitter(), {
    pause: () => ([isPaused, pausedAt] = [true, performance.now()]),
    resume: () => {
      isPaused = false
      rests.push(performance.now() - pausedAt)
    },
  })
  const gulps = createGulps(socket as unknown as Socket)
  let reads = 0
  for (let at = 0; at < ms; at += 10) {
    vi.advanceTimersByTime(10)
    if (isPaused) continue
    reads++
    gulps.taken(bytes)
  }
  return { reads, rests }
}

test('a stream is read at once at first, and then rests for about a thirtieth of its time', () => {
  expect(readFor(1_500, 100)).toEqual({ reads: 150, rests: [] })
  const { reads, rests } = readFor(20_000, 100)
  expect(reads).toBeLessThan(500)
  expect(Math.max(...rests)).toBeLessThanOrEqual(260)
  expect(rests.length).toBeGreaterThan(50)
})

test('a server that sends much is not kept waiting', () => {
  expect(readFor(20_000, 64_000).rests).toEqual([])
})

test('streams that rest are read at the same moments', () => {
  const at: number[] = []
  const open = () =>
    createGulps({ pause() {}, resume: () => at.push(performance.now()) } as unknown as Socket)
  const first = open()
  vi.advanceTimersByTime(200)
  const second = open()
  vi.advanceTimersByTime(20_000)
  vi.advanceTimersByTime(Math.ceil(250 - (performance.now() % 250)) + 20)
  for (const gulps of [first, second]) {
    gulps.taken(100)
    vi.advanceTimersByTime(13)
  }
  vi.advanceTimersByTime(500)
  expect(at).toHaveLength(2)
  expect(new Set(at).size).toBe(1)
})

test('a connection that has ended does not rest', () => {
  const calls: string[] = []
  const socket = { pause: () => calls.push('pause'), resume: () => calls.push('resume') }
  const gulps = createGulps(socket as unknown as Socket)
  vi.advanceTimersByTime(5_000)
  gulps.taken(100)
  gulps.end()
  vi.advanceTimersByTime(1_000)
  expect(calls).toEqual([])
})
