/** Any plan over engines that fail in any way: a result that adds up, or an error. Never both, never neither. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ask, question } from '../../test/ask.ts'
import { createVirtualClock, type Timed, timedEngine } from '../../test/virtual-clock.ts'
import { hashParts } from '../lib/random.ts'
import type { Clock } from './host.ts'
import { countMembers, type Plan } from './plan.ts'
import type { CompletionRequest, Engine } from './provider/engine.ts'
import { EngineError } from './provider/errors.ts'
import type { Result } from './result.ts'

const names = ['a', 'b', 'c']
const engineName = fc.constantFrom(...names)
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })
const voice = fc.record({
  engine: engineName,
  n: fc.integer({ min: 1, max: 3 }),
  sampling: fc.constant({ maxTokens: 9 }),
  fallbacks: optional(fc.array(engineName, { maxLength: 2 })),
})
const quorum = fc.record({
  count: fc.integer({ min: 1, max: 4 }),
  graceMs: fc.nat(50),
  capMs: optional(fc.nat(120)),
})
const see = fc.oneof(fc.constant('all' as const), fc.record({ sample: fc.integer({ min: 1, max: 3 }) }))
const layer = fc.record({
  voices: fc.array(voice, { minLength: 1, maxLength: 3 }),
  see,
  quorum: optional(quorum),
})
const plan: fc.Arbitrary<Plan> = fc.record({
  strategy: fc.constant('fuzz'),
  layers: fc
    .array(layer, { minLength: 1, maxLength: 4 })
    .map(([first, ...rest]) => [{ ...(first as Plan['layers'][number]), see: 'nothing' as const }, ...rest]),
  template: fc.constant('aft-2'),
  seed: fc.nat(),
  order: fc.constantFrom('as-sampled', 'shuffled'),
  choose: fc.oneof(fc.constantFrom('last', 'vote', 'random'), fc.record({ judge: engineName })),
  overflow: fc.constantFrom('trim', 'refuse'),
  stopAtAgreement: optional(fc.double({ min: 0, max: 1, noNaN: true })),
})

const fates: ((random: number) => Timed)[] = [
  (random) => ({ ms: random % 100, text: `text ${random % 7} of ${random % 3}` }),
  (random) => ({ ms: random % 100, text: `${random % 4}` }),
  () => ({ ms: 1, text: ' ' }),
  () => ({ ms: 2, text: 'and on '.repeat(50) }),
  (random) => ({ ms: random % 300, text: 'half', finishReason: 'length' }),
  (random) => ({ ms: random % 200, error: 'server' }),
  () => ({ ms: 0, error: 'context-overflow' }),
]

/** `luck` decides which fates come; some requests end early or break as a whole. */
function unreliable(clock: Clock, id: string, luck: number, trouble: number): Engine {
  const fate = ({ seeds }: CompletionRequest, i: number) => {
    const random = hashParts(luck, id, seeds[i] ?? 0)
    return (fates[random % 100 < trouble ? (random >>> 8) % fates.length : 0] as (random: number) => Timed)(
      random >>> 4,
    )
  }
  const engine = timedEngine(clock, fate, id)
  async function* generate(request: CompletionRequest) {
    const random = hashParts(luck, 'request', id, JSON.stringify(request.messages)) % 400
    if (random < trouble / 2)
      throw random % 2 ? new EngineError(id, 'context-overflow', 'too long') : new TypeError('bug')
    for await (const event of engine.generate(request)) {
      yield event
      if (random > 400 - trouble / 2) return
    }
  }
  return { id, generate }
}

function checkResult(
  { layers, from, answer, usage, judgment, degraded, degradedBecause }: Result,
  plan: Plan,
): void {
  for (const [depth, { completions, failures }] of layers.entries()) {
    const width = countMembers(plan.layers[depth] as Plan['layers'][number])
    const present = completions.map((c) => c.index)
    const twice = present.filter((index, i) => present.indexOf(index) < i)
    expect(present).toEqual(present.toSorted((x, y) => x - y))
    expect(new Set(twice).size).toBe(twice.length)
    for (const index of twice) {
      const [first, again] = completions.filter((c) => c.index === index)
      expect([depth, plan.choose]).toEqual([plan.layers.length - 1, 'last'])
      expect([first?.excluded, again?.excluded]).toContain('runaway')
      expect(again?.excluded).toBeDefined()
      expect(first?.seed).not.toBe(again?.seed)
    }
    expect([...new Set([...present, ...failures.map((f) => f.index)])].sort((x, y) => x - y)).toEqual(
      Array.from({ length: width }, (_, i) => i),
    )
    for (const { saw = [] } of completions) {
      const source = layers.slice(0, depth).findLast((l) => l.completions.some((c) => !c.excluded))
      const usable = source?.completions.filter((c) => !c.excluded).map((c) => c.index) ?? []
      expect(saw.every((index) => usable.includes(index))).toBe(true)
    }
  }
  expect(layers[from.layer]?.completions.find((c) => c.index === from.index)?.text).toBe(answer)
  const all = [...layers.flatMap((l) => [...l.completions, ...l.failures]), ...(judgment ? [judgment] : [])]
  expect(usage.outputTokens).toBe(all.reduce((sum, c) => sum + (c.usage?.outputTokens ?? 0), 0))
  expect(usage.calls).toBe(all.reduce((sum, c) => sum + (c.usage?.calls ?? 0), 0))
  expect(degraded).toBe((degradedBecause?.length ?? 0) > 0)
}

const chance = fc.tuple(plan, fc.nat(), fc.constantFrom(0, 20, 60, 100))

test('a plan over failing engines gives a result that adds up, or an EngineError', () =>
  fc.assert(
    fc.asyncProperty(chance, async ([plan, luck, trouble]) => {
      const clock = createVirtualClock()
      const engines = Object.fromEntries(names.map((id) => [id, unreliable(clock, id, luck, trouble)]))
      const outcome = await ask(engines, plan, { clock }).catch((error: unknown) => error)
      if (outcome instanceof Error) expect(outcome).toBeInstanceOf(EngineError)
      else {
        const { events, ...result } = outcome as Result & { events: { type: string }[] }
        checkResult(result, plan)
        expect(events.filter((e) => e.type === 'answer')).toEqual([{ type: 'answer', result }])
      }
    }),
    { numRuns: 300 },
  ))

test('a plan aborted at any time rejects with the reason, or was done', () =>
  fc.assert(
    fc.asyncProperty(chance, fc.nat(400), async ([plan, luck, trouble], atMs) => {
      const clock = createVirtualClock()
      const engines = Object.fromEntries(names.map((id) => [id, unreliable(clock, id, luck, trouble)]))
      const stop = new AbortController()
      const reason = new Error('enough')
      void clock.sleep(atMs, new AbortController().signal).then(() => stop.abort(reason))
      const outcome = await ask(engines, plan, { clock, signal: stop.signal, prompt: question }).catch(
        (e) => e,
      )
      if (!(outcome instanceof Error)) checkResult(outcome, plan)
      else if (outcome !== reason) expect(outcome).toBeInstanceOf(EngineError)
      expect(clock.now()).toBeLessThanOrEqual(atMs)
    }),
    { numRuns: 200 },
  ))
