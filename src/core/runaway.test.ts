/** An answer that repeats itself is sampled once more; then the layer before stands in. */
import { describe, expect, test } from 'vitest'
import { ask, planFor, question } from '../../test/ask.ts'
import { type Reply, scriptedEngine } from '../engines/scripted/scripted.ts'
import type { Host } from './host.ts'
import type { Plan, Prompt } from './plan.ts'
import type { Result } from './result.ts'

const runaway = 'on and on it goes '.repeat(30)
const other = 'round and round it goes '.repeat(30)

/** Proposals `a b`, `a b c` and `x`; then the answers in turn. */
async function answer(
  answers: (Reply | string)[],
  more: { plan?: Partial<Plan>; host?: Partial<Host>; prompt?: Partial<Prompt>; temperature?: number } = {},
) {
  const proposals = ['x', 'a b', 'a b c']
  let turn = 0
  const engine = scriptedEngine(({ n }, index) => (n === 3 ? proposals[index] : answers[turn++]))
  const plan = { ...planFor({ engine }, { width: 3, depth: 1, temperature: more.temperature }), ...more.plan }
  const prompt = { ...question, ...more.prompt }
  return { engine, ...(await ask({ engine }, plan, { ...more.host, prompt })) }
}

const lastOf = ({ layers }: Result) => layers.at(-1)?.completions.map((c) => [c.index, c.text, c.excluded])

describe('an answer that repeats itself', () => {
  test('is sampled once more with another seed, and stays in the layers', async () => {
    const result = await answer([runaway, 'the answer'])
    expect(result).toMatchObject({ answer: 'the answer', degraded: false, from: { layer: 1, index: 0 } })
    expect(lastOf(result)).toEqual([
      [0, 'the answer', undefined],
      [0, runaway, 'runaway'],
    ])
    const [, first, again] = result.engine.requests
    expect(again?.messages).toEqual(first?.messages)
    expect(again?.n).toBe(1)
    expect(again?.seeds).not.toEqual(first?.seeds)
    expect(result.usage.calls).toBe(3)
  })

  test('is restarted in the events, with its reason', async () => {
    const { events } = await answer([runaway, 'the answer'])
    const last = events.filter((e) => 'layer' in e && e.layer === 1 && e.type !== 'completion-delta')
    expect(last).toMatchObject([
      { type: 'layer-start' },
      { type: 'completion-end', completion: { excluded: 'runaway' } },
      { type: 'completion-restarted', index: 0, reason: 'the answer repeats itself and is sampled again' },
      { type: 'completion-end', completion: { text: 'the answer' } },
      { type: 'layer-end', shown: [0] },
    ])
  })

  test('has a second seed that depends on the first alone', async () => {
    const seeds = async (seed: number) => {
      const { engine } = await answer([runaway, 'the answer'], { plan: { seed } })
      return engine.requests[2]?.seeds
    }
    expect(await seeds(1)).toEqual(await seeds(1))
    expect(await seeds(1)).not.toEqual(await seeds(2))
  })

  test('twice leaves the most central proposal, and the result says so', async () => {
    const result = await answer([runaway, other])
    expect(result).toMatchObject({ answer: 'a b', from: { layer: 0, index: 1 }, degraded: true })
    expect(result.degradedBecause).toEqual(['layer 2 gave nothing usable and was skipped'])
    expect(lastOf(result)).toEqual([
      [0, runaway, 'runaway'],
      [0, other, 'runaway'],
    ])
    expect(result.engine.requests).toHaveLength(3)
  })

  test('and fails the second time leaves the most central proposal too', async () => {
    const result = await answer([runaway, { error: { kind: 'refused', message: 'no' } }])
    expect(result).toMatchObject({ answer: 'a b', degraded: true })
    expect(result.layers[1]?.failures).toMatchObject([{ index: 0, error: { kind: 'refused' } }])
  })

  test('is not sampled again at temperature 0, where another seed gives the same text', async () => {
    const result = await answer([runaway], { temperature: 0 })
    expect(result).toMatchObject({ answer: 'a b', degraded: true })
    expect(result.engine.requests).toHaveLength(2)
  })

  test('stands if a reader has seen a part of it, degraded', async () => {
    const result = await answer([runaway], { host: { isSent: () => true } })
    expect(result).toMatchObject({ answer: runaway, from: { layer: 1, index: 0 }, degraded: true })
    expect(result.degradedBecause).toEqual(['the answer repeats itself, and a part of it was sent already'])
    expect(result.engine.requests).toHaveLength(2)
  })

  test.each<[string, Reply | string, Partial<Prompt>]>([
    ['has the form that was asked for', runaway, { responseFormat: { type: 'json_object' } }],
    [
      'calls a tool',
      { text: runaway, toolCalls: [{ id: '1', type: 'function', function: { name: 'f', arguments: '{}' } }] },
      { tools: [{ type: 'function', function: { name: 'f' } }] },
    ],
  ])('is the answer if it %s', async (_, reply, prompt) => {
    const result = await answer([reply], { prompt })
    expect(result).toMatchObject({ answer: runaway, degraded: false })
    expect(result.engine.requests).toHaveLength(2)
  })
})

describe('with nothing before it', () => {
  const alone = (answers: string[]) => {
    const engine = scriptedEngine(() => answers.shift() as string)
    return ask({ engine }, planFor({ engine }, { strategy: 'single' }))
  }

  test('an answer that repeats itself is sampled once more', async () => {
    expect(await alone([runaway, 'fine'])).toMatchObject({ answer: 'fine', degraded: false })
  })

  test('twice, it is the answer, degraded', async () => {
    expect(await alone([runaway, other])).toMatchObject({
      answer: runaway,
      degradedBecause: ['every proposal repeats itself'],
    })
  })
})

test('of several choices only the one that repeats itself is sampled again', async () => {
  const replies = ['one', runaway, 'three', 'again']
  const engine = scriptedEngine(() => replies.shift() as string)
  const plan = planFor({ engine }, { strategy: 'single' })
  const [voice] = plan.layers[0]?.voices ?? []
  plan.layers = [{ see: 'nothing', voices: [{ ...voice, n: 3 } as NonNullable<typeof voice>] }]
  const result = await ask({ engine }, plan)
  expect(engine.requests.map((r) => r.n)).toEqual([3, 1])
  expect(lastOf(result)).toEqual([
    [0, 'one', undefined],
    [1, 'again', undefined],
    [1, runaway, 'runaway'],
    [2, 'three', undefined],
  ])
})

test('a vote ignores what repeats itself, and samples nothing again', async () => {
  const engine = scriptedEngine((_, index) => [runaway, runaway, '7'][index])
  const plan = planFor({ engine }, { strategy: 'self-consistency', width: 3 })
  expect(await ask({ engine }, plan)).toMatchObject({ answer: '7', degraded: false })
  expect(engine.requests).toHaveLength(1)
})
