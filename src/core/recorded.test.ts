/** An interrupted prompt goes on where it stopped: what is recorded is not sampled again. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ask, planFor } from '../../test/ask.ts'
import { echo, scriptedEngine } from '../engines/scripted/scripted.ts'
import type { RecordedLayer } from './host.ts'
import type { PlanOptions } from './strategies.ts'

const run = async (options: Partial<PlanOptions>, recorded?: RecordedLayer[]) => {
  const engine = scriptedEngine(echo)
  const result = await ask({ engine }, planFor({ engine }, options), { recorded })
  return { engine, result }
}

/** Of each layer the completions that were there when the run was killed, in the order they came. */
const cut = (layers: RecordedLayer[], keep: (layer: number, index: number) => boolean): RecordedLayer[] => {
  const kept = layers.map((layer, depth) => ({
    failures: [],
    completions: layer.completions.filter((c) => keep(depth, c.index)),
    isClosed: true,
  }))
  const open = kept.findIndex(
    (layer, depth) => layer.completions.length < (layers[depth]?.completions.length ?? 0),
  )
  return kept.slice(0, open + 1).map((layer, depth) => ({ ...layer, isClosed: depth < open }))
}
const closed = (
  layers: { completions: RecordedLayer['completions']; failures: RecordedLayer['failures'] }[],
) => structuredClone(layers).map((layer) => ({ ...layer, isClosed: true }))

describe('a resumed prompt', () => {
  test('samples only what is missing, with the seeds it would have had', async () => {
    const whole = await run({})
    const recorded = cut(
      closed(whole.result.layers),
      (layer, index) => layer === 0 || (layer === 1 && index % 2 === 1),
    )
    const again = await run({}, recorded)
    expect(again.engine.requests.map((r) => r.n)).toEqual([3, 1])
    const seeds = whole.engine.requests[1]?.seeds ?? []
    expect(again.engine.requests[0]?.seeds).toEqual([seeds[0], seeds[2], seeds[4]])
    expect(again.engine.requests[0]?.messages).toEqual(whole.engine.requests[1]?.messages)
  })

  test('ends with the same answer, layers and usage, wherever it was cut', () =>
    fc.assert(
      fc.asyncProperty(
        fc.constantFrom<Partial<PlanOptions>>(
          {},
          { order: 'shuffled', width: 4, depth: 3 },
          { strategy: 'rsa', width: 5, sample: 2 },
          { strategy: 'best-of-n', width: 3 },
        ),
        fc.array(fc.boolean(), { minLength: 16, maxLength: 16 }),
        fc.nat(3),
        async (options, coin, depth) => {
          const whole = await run(options)
          const layers = closed(whole.result.layers)
          const keep = (layer: number, index: number) =>
            layer < depth || (layer === depth && Boolean(coin[index]))
          const { result, engine } = await run(options, cut(layers, keep))
          expect(engine.requests.every((r) => r.n > 0)).toBe(true)
          expect(result.answer).toBe(whole.result.answer)
          expect(result.usage).toEqual(whole.result.usage)
          const bare = (r: typeof result) => r.layers.map((l) => l.completions.map(({ usage, ...c }) => c))
          expect(bare(result)).toEqual(bare(whole.result))
        },
      ),
      { numRuns: 60 },
    ))

  test('sets apart what is paid twice, because a prompt is sent again', async () => {
    const whole = await run({ depth: 1 })
    const recorded = cut(closed(whole.result.layers), (_, index) => index === 0)
    const { result } = await run({ depth: 1 }, recorded)
    const { calls, prefilledTokens, repeated } = result.layers[0]?.completions[1]?.usage ?? {}
    expect([calls, prefilledTokens]).toEqual([0, 0])
    expect(repeated).toEqual({
      calls: 1,
      prefilledTokens: whole.result.layers[0]?.completions[0]?.usage.prefilledTokens,
    })
    expect(result.usage).toEqual(whole.result.usage)
  })

  test('pays for a prompt whose bearer was lost', async () => {
    const whole = await run({ depth: 1 })
    const recorded = cut(closed(whole.result.layers), (_, index) => index === 3)
    const { result } = await run({ depth: 1 }, recorded)
    expect(result.layers[0]?.completions[0]?.usage).not.toHaveProperty('repeated')
    expect(result.usage).toEqual(whole.result.usage)
  })
})

describe('a closed layer', () => {
  test('stands as it is, with its failures: deeper layers were built on it', async () => {
    const { result } = await run({ width: 3, depth: 1 })
    const [first] = closed(result.layers) as [RecordedLayer]
    const lost = first.completions.pop() as RecordedLayer['completions'][number]
    const { text, finishReason, usage, ...place } = lost
    first.failures.push({ ...place, error: { kind: 'straggler', message: 'cut' } })
    const again = await run({ width: 3, depth: 1 }, [first])
    expect(again.engine.requests.map((r) => r.n)).toEqual([1])
    expect(again.result.layers[1]?.completions[0]?.saw).toEqual([0, 1])
    expect(again.result.degradedBecause).toEqual(['layer 0: completion 2 is missing (straggler)'])
  })

  test('is shown in order of its members, whatever order they were recorded in', async () => {
    const { result, engine } = await run({ depth: 1 })
    const [first] = closed(result.layers) as [RecordedLayer]
    const again = await run({ depth: 1 }, [{ ...first, completions: first.completions.reverse() }])
    expect(again.engine.requests[0]?.messages).toEqual(engine.requests[1]?.messages)
  })

  test('of a finished prompt needs no engine at all, its judge included', async () => {
    const { result } = await run({ strategy: 'best-of-n', width: 3 })
    const recorded = closed(result.layers)
    if (result.judgment && 'text' in result.judgment)
      recorded.push({ completions: [result.judgment], failures: [], isClosed: true })
    const again = await run({ strategy: 'best-of-n', width: 3 }, recorded)
    expect(again.engine.requests).toHaveLength(0)
    expect(again.result.answer).toBe(result.answer)
    expect(again.result.usage).toEqual(result.usage)
  })
})

test('a failure recorded in an open layer is tried again', async () => {
  const { result } = await run({ width: 2, depth: 1 })
  const [first] = closed(result.layers) as [RecordedLayer]
  const { text, finishReason, usage, ...place } =
    first.completions.pop() as RecordedLayer['completions'][number]
  first.failures.push({ ...place, error: { kind: 'server', message: 'gone' } })
  const again = await run({ width: 2, depth: 1 }, [{ ...first, isClosed: false }])
  expect(again.result).toMatchObject({ answer: result.answer, degraded: false })
  expect(again.result.layers[0]?.failures).toEqual([])
})
