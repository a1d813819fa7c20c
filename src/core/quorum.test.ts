import { describe, expect, test } from 'vitest'
import { ask, planFor } from '../../test/ask.ts'
import { createVirtualClock, type Timed, timedEngine } from '../../test/virtual-clock.ts'
import type { Quorum } from './plan.ts'

/** Five members that take these milliseconds (or fail), then one aggregator that takes 10. */
async function run(times: (number | Timed)[], quorum: Quorum | undefined, recorded?: number[]) {
  const clock = createVirtualClock()
  const engine = timedEngine(clock, ({ n }, index) => {
    const time = n === 1 && !recorded ? 10 : (times[index] as number | Timed)
    return typeof time === 'number' ? { ms: time } : time
  })
  const { count, ...waits } = quorum ?? {}
  const plan = planFor({ engine }, { width: times.length, depth: 1, quorum: count, ...waits })
  return { ...(await ask({ engine }, plan, { clock })), engine, atMs: clock.now() }
}

describe('a quorum', () => {
  test('lets a layer go on once enough are there and the grace has passed', async () => {
    const { layers, atMs, engine } = await run([10, 20, 30, 40, 9000], { count: 4, graceMs: 100 })
    expect(layers[0]?.completions.map((c) => c.index)).toEqual([0, 1, 2, 3])
    expect(atMs).toBe(40 + 100 + 10)
    expect(engine.abortReasons).toEqual(['straggler'])
  })

  test('records its stragglers, and the result is degraded', async () => {
    const { layers, degradedBecause, usage } = await run([10, 20, 30, 40, 9000], { count: 4, graceMs: 100 })
    expect(layers[0]?.failures).toMatchObject([{ index: 4, error: { kind: 'straggler' }, ms: 140 }])
    expect(degradedBecause).toEqual(['layer 1: completion 5 is missing (straggler)'])
    expect(usage.outputTokens).toBe(6)
  })

  test('keeps what comes within the grace', async () => {
    const { layers, atMs, degraded, engine } = await run([10, 20, 30, 40, 90], { count: 3, graceMs: 100 })
    expect(layers[0]?.completions).toHaveLength(5)
    expect([atMs, degraded, engine.abortReasons]).toEqual([100, false, []])
  })

  test('asks its engines for early ends, and other layers do not', async () => {
    const { engine } = await run([10, 20], { count: 1, graceMs: 0 })
    expect(engine.requests.map((r) => r.endsEarly)).toEqual([true, undefined])
  })

  test('is taken literally: with 1 of 5 the first ends the layer', async () => {
    const { layers, atMs } = await run([50, 20, 30, 40, 60], { count: 1, graceMs: 0 })
    expect(layers[0]?.completions.map((c) => c.index)).toEqual([1])
    expect(atMs).toBe(30)
  })

  test('does not count what no aggregator could use', async () => {
    const { layers, atMs } = await run([{ ms: 1, text: '' }, { ms: 2, text: '' }, 50, 9000], {
      count: 1,
      graceMs: 5,
    })
    expect(layers[0]?.completions.map((c) => c.index)).toEqual([0, 1, 2])
    expect(atMs).toBe(50 + 5 + 10)
  })

  test('that failures make out of reach waits for all others', async () => {
    const { layers, atMs } = await run([{ ms: 5, error: 'server' }, { ms: 5, error: 'server' }, 70, 80], {
      count: 3,
      graceMs: 1,
    })
    expect(layers[0]?.completions.map((c) => c.index)).toEqual([2, 3])
    expect(atMs).toBe(90)
  })
})

describe('a hard cap', () => {
  test('ends the layer with what it has, quorum or not', async () => {
    const { layers, atMs } = await run([10, 5000, 6000], { count: 2, graceMs: 100, capMs: 300 })
    expect(layers[0]?.completions.map((c) => c.index)).toEqual([0])
    expect(layers[0]?.failures.map((f) => [f.index, f.error.kind])).toEqual([
      [1, 'straggler'],
      [2, 'straggler'],
    ])
    expect(atMs).toBe(310)
  })

  test('is an error when it leaves nothing', async () => {
    const run_ = run([500, 500], { count: 2, graceMs: 0, capMs: 100 })
    await expect(run_).rejects.toMatchObject({ kind: 'straggler', name: 'EngineError' })
  })

  test('does not hold for a layer of one: its answer is waited for', async () => {
    const { answer, degraded } = await run([10, 10], { count: 2, graceMs: 0, capMs: 11 })
    expect([answer, degraded]).toEqual(['after 10', false])
    const one = await run([50], { count: 1, graceMs: 0, capMs: 5 })
    expect(one.degraded).toBe(false)
  })
})

test('without a quorum a layer waits for its slowest member', async () => {
  expect((await run([10, 20, 9000], undefined)).atMs).toBe(9010)
})
