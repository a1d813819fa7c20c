/** What is there already is not sampled again. */
import { describe, expect, test } from 'vitest'
import { ask, planFor } from '../../test/ask.ts'
import { echo, scriptedEngine } from '../engines/scripted/scripted.ts'
import type { PlanOptions } from '../plans/strategies.ts'
import type { Completion } from './provider/records.ts'
import type { LayerResult } from './result.ts'

const run = async (options: Partial<PlanOptions>, recorded?: LayerResult[]) => {
  const engine = scriptedEngine(echo)
  const result = await ask({ engine }, planFor({ engine }, options), { recorded })
  return { engine, result }
}

describe('a recorded layer', () => {
  test('stands as it is, with its failures: deeper layers were built on it', async () => {
    const { result } = await run({ width: 3, depth: 1 })
    const [first] = structuredClone(result.layers) as [LayerResult]
    const lost = first.completions.pop() as Completion
    const { text, finishReason, usage, ...place } = lost
    first.failures.push({ ...place, error: { kind: 'straggler', message: 'cut' } })
    const again = await run({ width: 3, depth: 1 }, [first])
    expect(again.engine.requests.map((r) => r.n)).toEqual([1])
    expect(again.result.events.filter((e) => 'layer' in e && e.layer === 0)).toEqual([])
    expect(again.result.layers[1]?.completions[0]?.saw).toEqual([0, 1])
    expect(again.result.degradedBecause).toEqual(['layer 1: completion 3 is missing (straggler)'])
  })

  test('is shown in order of its members, whatever order they were recorded in', async () => {
    const { result, engine } = await run({ depth: 1 })
    const [first] = structuredClone(result.layers) as [LayerResult]
    const again = await run({ depth: 1 }, [{ ...first, completions: first.completions.reverse() }])
    expect(again.engine.requests[0]?.messages).toEqual(engine.requests[1]?.messages)
  })

  test('may be shown in reverse', async () => {
    const { result } = await run({ width: 3, depth: 1, order: 'reversed' })
    expect(result.layers[1]?.completions[0]?.saw).toEqual([2, 1, 0])
  })

  test('of a finished prompt needs no engine at all, its judge included', async () => {
    const { result } = await run({ strategy: 'best-of-n', width: 3 })
    const recorded = structuredClone(result.layers)
    if (result.judgment && 'text' in result.judgment)
      recorded.push({ completions: [result.judgment], failures: [] })
    const again = await run({ strategy: 'best-of-n', width: 3 }, recorded)
    expect(again.engine.requests).toHaveLength(0)
    expect(again.result.answer).toBe(result.answer)
    expect(again.result.usage).toEqual(result.usage)
  })
})
