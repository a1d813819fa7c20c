import { afterEach, expect, test, vi } from 'vitest'
import { Silence } from './silence.ts'

afterEach(() => vi.useRealTimers())

const never = new Promise<never>(() => {})
const tooLong = () => new Error('too long')

test('what comes in time is heard, and the limit begins anew', async () => {
  vi.useFakeTimers()
  const silence = new Silence(100, tooLong, new AbortController().signal)
  for (const word of ['a', 'b', 'c']) {
    const later = new Promise<string>((resolve) => setTimeout(() => resolve(word), 60))
    const heard = silence.hear(later)
    await vi.advanceTimersByTimeAsync(60)
    expect(await heard).toBe(word)
  }
  expect(silence.signal.aborted).toBe(false)
  silence.end()
})

test('nothing for the limit is an error, to the waiting and to the signal', async () => {
  vi.useFakeTimers()
  const silence = new Silence(100, tooLong, new AbortController().signal)
  const heard = expect(silence.hear(never)).rejects.toThrow('too long')
  await vi.advanceTimersByTimeAsync(100)
  await heard
  expect(silence.signal.reason).toEqual(tooLong())
  silence.end()
})

test("a pause of the listener is not the other side's silence", async () => {
  vi.useFakeTimers()
  const silence = new Silence(100, tooLong, new AbortController().signal)
  expect(await silence.hear(Promise.resolve('a'))).toBe('a')
  await vi.advanceTimersByTimeAsync(1_000)
  const heard = silence.hear(new Promise((resolve) => setTimeout(() => resolve('b'), 60)))
  await vi.advanceTimersByTimeAsync(60)
  expect(await heard).toBe('b')
  const late = expect(silence.hear(never)).rejects.toThrow('too long')
  await vi.advanceTimersByTimeAsync(100)
  await late
  silence.end()
})

test("the caller's abort ends the waiting with the caller's reason, also one before", async () => {
  const caller = new AbortController()
  const silence = new Silence(60_000, tooLong, caller.signal)
  const heard = expect(silence.hear(never)).rejects.toBe('enough')
  caller.abort('enough')
  await heard
  silence.end()
  const late = new Silence(60_000, tooLong, caller.signal)
  await expect(late.hear(never)).rejects.toBe('enough')
  late.end()
})

test('after its end nothing fires', async () => {
  vi.useFakeTimers()
  const caller = new AbortController()
  const silence = new Silence(100, tooLong, caller.signal)
  silence.end()
  caller.abort()
  await vi.advanceTimersByTimeAsync(200)
  expect(silence.signal.aborted).toBe(false)
})
