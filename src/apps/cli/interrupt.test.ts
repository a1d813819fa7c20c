import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { onInterrupt } from './interrupt.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

test('the second signal of a press is heard after the stop too, so that it does not end the process', () => {
  const others = process.listenerCount('SIGINT')
  const stops: string[] = []
  const forget = onInterrupt(({ message }) => stops.push(message))
  process.emit('SIGINT')
  forget()
  vi.advanceTimersByTime(100)
  expect(process.listenerCount('SIGINT')).toBe(others + 1)
  process.emit('SIGINT')
  expect(stops).toEqual(['stopped by SIGINT'])
  vi.advanceTimersByTime(1000)
  expect(process.listenerCount('SIGINT')).toBe(others)
})

test('without a press nothing is left', () => {
  const others = [process.listenerCount('SIGINT'), process.listenerCount('SIGTERM')]
  onInterrupt(() => {})()
  expect([process.listenerCount('SIGINT'), process.listenerCount('SIGTERM')]).toEqual(others)
})
