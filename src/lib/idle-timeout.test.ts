import { afterEach, expect, test, vi } from 'vitest'
import { IdleTimeout } from './idle-timeout.ts'

afterEach(() => vi.useRealTimers())

const never = new Promise<never>(() => {})
const tooLong = () => new Error('too long')

test('what arrives in time resolves, and the limit starts again', async () => {
  vi.useFakeTimers()
  const idle = new IdleTimeout(100, tooLong, new AbortController().signal)
  for (const word of ['a', 'b', 'c']) {
    const later = new Promise<string>((resolve) => setTimeout(() => resolve(word), 60))
    const waited = idle.wait(later)
    await vi.advanceTimersByTimeAsync(60)
    expect(await waited).toBe(word)
  }
  expect(idle.signal.aborted).toBe(false)
  idle.end()
})

test('nothing for the limit rejects the wait and fires the signal', async () => {
  vi.useFakeTimers()
  const idle = new IdleTimeout(100, tooLong, new AbortController().signal)
  const waited = expect(idle.wait(never)).rejects.toThrow('too long')
  await vi.advanceTimersByTimeAsync(100)
  await waited
  expect(idle.signal.reason).toEqual(tooLong())
  idle.end()
})

test('the limit does not run while nothing is waited for', async () => {
  vi.useFakeTimers()
  const idle = new IdleTimeout(100, tooLong, new AbortController().signal)
  expect(await idle.wait(Promise.resolve('a'))).toBe('a')
  await vi.advanceTimersByTimeAsync(1_000)
  const waited = idle.wait(new Promise((resolve) => setTimeout(() => resolve('b'), 60)))
  await vi.advanceTimersByTimeAsync(60)
  expect(await waited).toBe('b')
  const late = expect(idle.wait(never)).rejects.toThrow('too long')
  await vi.advanceTimersByTimeAsync(100)
  await late
  idle.end()
})

test("the caller's abort rejects the wait with the caller's reason, also when it came before", async () => {
  const caller = new AbortController()
  const idle = new IdleTimeout(60_000, tooLong, caller.signal)
  const waited = expect(idle.wait(never)).rejects.toBe('enough')
  caller.abort('enough')
  await waited
  idle.end()
  const late = new IdleTimeout(60_000, tooLong, caller.signal)
  await expect(late.wait(never)).rejects.toBe('enough')
  late.end()
})

test('a restart counts as something that arrived', async () => {
  vi.useFakeTimers()
  const idle = new IdleTimeout(100, tooLong, new AbortController().signal)
  const waited = expect(idle.wait(never)).rejects.toThrow('too long')
  for (let i = 0; i < 3; i++) {
    await vi.advanceTimersByTimeAsync(60)
    idle.restart()
  }
  expect(idle.signal.aborted).toBe(false)
  await vi.advanceTimersByTimeAsync(100)
  await waited
  idle.end()
})

test('after its end nothing fires', async () => {
  vi.useFakeTimers()
  const caller = new AbortController()
  const idle = new IdleTimeout(100, tooLong, caller.signal)
  idle.end()
  caller.abort()
  await vi.advanceTimersByTimeAsync(200)
  expect(idle.signal.aborted).toBe(false)
})
