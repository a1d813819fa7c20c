import { expect, test } from 'vitest'
import { countFreeCores, createCoreGauge, decodeWithShare, type Usage } from './threads.ts'

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

test('engines of one process that decode at once share the free cores, and one alone has them all', async () => {
  const gauge = { count: () => 4, resume() {} }
  const seen: number[] = []
  const note = async (threads: number) => {
    seen.push(threads)
  }
  await decodeWithShare(gauge, async (first) => {
    seen.push(first)
    await decodeWithShare(gauge, note)
    await decodeWithShare({ ...gauge, count: () => 1 }, note)
  })
  await expect(decodeWithShare(gauge, () => Promise.reject(new Error('no room')))).rejects.toThrow('no room')
  await decodeWithShare(gauge, note)
  expect(seen).toEqual([4, 2, 1, 4])
})
