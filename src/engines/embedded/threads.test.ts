import { expect, test } from 'vitest'
import { countFreeCores, createCoreGauge, type Usage } from './threads.ts'

const start: Usage = { atMs: 0, ownMs: 0, idleMs: 0 }
const after = (own: number, idle: number): Usage => ({ atMs: 1000, ownMs: own * 1000, idleMs: idle * 1000 })

test('what this process used and what nobody used is free for it', () => {
  expect(countFreeCores(start, after(2, 0))).toBe(2)
  expect(countFreeCores(start, after(1, 1))).toBe(2)
  expect(countFreeCores(start, after(1, 14.8))).toBe(16)
})

test('beside others that keep the cores busy one core is left', () => {
  expect(countFreeCores(start, after(1, 0))).toBe(1)
  expect(countFreeCores(start, after(0.2, 0))).toBe(1)
})

test('the gauge says any number until it has seen enough, and then what it saw', () => {
  const now = performance.now()
  const readings = [
    { ...start, atMs: now - 1000 },
    { ...after(1.1, 0), atMs: now },
  ]
  const gauge = createCoreGauge(() => readings.shift() as Usage)
  expect([gauge.count(), gauge.count(), readings.length]).toEqual([1, 1, 0])
  expect(createCoreGauge(() => ({ ...start, atMs: now })).count()).toBe(Number.POSITIVE_INFINITY)
})

test('what others did during a pause does not count', () => {
  const now = performance.now()
  const readings = [
    { ...start, atMs: now - 9000 },
    { ...after(0, 0), atMs: now },
  ]
  const gauge = createCoreGauge(() => readings.shift() as Usage)
  gauge.resume()
  expect(gauge.count()).toBe(Number.POSITIVE_INFINITY)
})
