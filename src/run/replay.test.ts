/** An interrupted prompt is resumed where it stopped: what its journal holds is not sampled again. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { planFor, question } from '../../test/ask.ts'
import { createVirtualClock } from '../../test/virtual-clock.ts'
import { answerPrompt } from '../core/aft.ts'
import type { Plan } from '../core/plan.ts'
import type { Engine } from '../core/provider/engine.ts'
import type { AftEvent, LayerResult } from '../core/result.ts'
import { echo, scriptedEngine } from '../engines/scripted/scripted.ts'
import type { JournalLayer } from '../files/journal-prompts.ts'
import type { PlanOptions } from '../plans/strategies.ts'
import { defaultTemplate } from '../plans/wordings.ts'
import { resumeFrom } from './replay.ts'

const answer = async (engines: Record<string, Engine>, plan: Plan, recorded: JournalLayer[] = []) => {
  const events: AftEvent[] = []
  const emit = (event: AftEvent) => void events.push(event)
  const host = { engines, template: defaultTemplate, clock: createVirtualClock(), emit }
  return { ...(await answerPrompt(question, plan, resumeFrom(host, recorded))), events }
}

const run = async (options: Partial<PlanOptions>, recorded?: JournalLayer[]) => {
  const engine = scriptedEngine(echo)
  const result = await answer({ engine }, planFor({ engine }, options), recorded)
  return { engine, result }
}

/** Of each layer the completions that were there when the run was killed, in the order they came. */
const cut = (layers: JournalLayer[], keep: (layer: number, index: number) => boolean): JournalLayer[] => {
  const kept = layers.map((layer, depth) => ({
    failures: [],
    completions: layer.completions.filter((c) => keep(depth, c.index)),
  }))
  const open = kept.findIndex(
    (layer, depth) => layer.completions.length < (layers[depth]?.completions.length ?? 0),
  )
  return [...closed(kept.slice(0, open)), ...kept.slice(open, open + 1)]
}
const closed = (layers: LayerResult[]): JournalLayer[] =>
  structuredClone(layers).map((layer) => ({ ...layer, shown: layer.completions.map((c) => c.index) }))
const open = ({ shown, ...layer }: JournalLayer): JournalLayer => layer

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

test('a failure recorded in an open layer is tried again', async () => {
  const { result } = await run({ width: 2, depth: 1 })
  const [first] = closed(result.layers) as [JournalLayer]
  const { text, finishReason, usage, ...place } =
    first.completions.pop() as JournalLayer['completions'][number]
  first.failures.push({ ...place, error: { kind: 'server', message: 'gone' } })
  const again = await run({ width: 2, depth: 1 }, [open(first)])
  expect(again.result).toMatchObject({ answer: result.answer, degraded: false })
  expect(again.result.layers[0]?.failures).toEqual([])
})

test('what is given again makes no event, and what is sampled makes each of its own', async () => {
  const whole = await run({ width: 3, depth: 1 })
  const recorded = cut(closed(whole.result.layers), (layer, index) => layer === 0 && index !== 1)
  const { result } = await run({ width: 3, depth: 1 }, recorded)
  const ended = result.events.flatMap((e) =>
    e.type === 'completion-end' ? [[e.layer, e.completion.index]] : [],
  )
  expect(ended).toEqual([
    [0, 1],
    [1, 0],
  ])
})

test('what cannot be told stays unknown when it is set apart', async () => {
  const engine = scriptedEngine((request, index) => {
    const usage = { prefilledTokens: null }
    return { text: `${request.seeds[index]}`, usage }
  })
  const plan = planFor({ engine }, { width: 2, depth: 1 })
  const { layers } = await answer({ engine }, plan)
  const [first] = closed(layers) as [JournalLayer]
  const left = open({ ...first, completions: first.completions.slice(0, 1) })
  const again = await answer({ engine }, plan, [left])
  expect(again.layers[0]?.completions[1]?.usage).toMatchObject({
    calls: 0,
    prefilledTokens: null,
    repeated: { calls: 1, prefilledTokens: null },
  })
})

test('a text of one voice is never given to another one whose seeds overlap', async () => {
  const engine = scriptedEngine(echo)
  const plan = planFor({ engine }, { depth: 1 })
  const voice = { engine: 'engine', n: 2, sampling: { maxTokens: 9 } }
  plan.layers[0] = { voices: [voice, voice], see: 'nothing' }
  const { layers } = await answer({ engine }, plan)
  const [first] = closed(layers) as [JournalLayer]
  const own = first.completions.filter((c) => c.voice === 0)
  const other = first.completions.filter((c) => c.voice === 1)
  for (const [i, made] of other.entries()) made.seed = own[i]?.seed as number
  const later = scriptedEngine(echo)
  const again = await answer({ engine: later }, plan, [open({ ...first, completions: other })])
  expect(later.requests[0]?.seeds).toEqual(own.map((c) => c.seed))
  expect(again.layers[0]?.completions.map((c) => c.text)).toEqual(layers[0]?.completions.map((c) => c.text))
})

test('a failure that a fallback recovered stands, and is not asked for again', async () => {
  const failing = scriptedEngine((request, index) =>
    index === 0 ? { text: '', error: { kind: 'server', message: 'gone' } } : echo(request, index),
  )
  const engines = { failing, other: scriptedEngine(echo) }
  const plan = planFor(engines, { depth: 1, width: 2, proposers: ['failing'] })
  plan.layers = plan.layers.map((layer) => ({
    ...layer,
    voices: layer.voices.map((v) => ({ ...v, fallbacks: ['other'] })),
  }))
  const whole = await answer(engines, plan)
  const layers = closed(whole.layers)
  const recorded = [open(layers[0] as JournalLayer)]
  const later = { failing: scriptedEngine(echo), other: scriptedEngine(echo) }
  const again = await answer(later, plan, recorded)
  expect(later.failing.requests.map((r) => r.n)).toEqual([1])
  expect(later.other.requests).toEqual([])
  expect(again.layers[0]).toEqual(whole.layers[0])
})
