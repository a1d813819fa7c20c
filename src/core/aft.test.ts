import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ask, planFor, question } from '../../test/ask.ts'
import { createVirtualClock, timedEngine } from '../../test/virtual-clock.ts'
import { echo, type Reply, scriptedEngine } from '../engines/scripted/scripted.ts'
import { type CompletionRequest, type Message, textOf } from './provider/engine.ts'
import type { AftEvent } from './result.ts'

/** Echo, but a layer is told by what it sees: 0 proposes, 1 sees proposals, 2 sees aggregations. */
const layered = (replies: (Reply | string)[][]) => {
  const seen = new Map<string, number>()
  return scriptedEngine(({ messages }, index) => {
    const key = JSON.stringify(messages)
    if (!seen.has(key)) seen.set(key, seen.size)
    return replies[seen.get(key) as number]?.[index]
  })
}
const tailOf = (request: CompletionRequest | undefined) => textOf(request?.messages.at(-1) as Message)

describe('propose and aggregate', () => {
  test('width 5 and depth 2 is 11 completions in 3 calls', async () => {
    const engine = scriptedEngine(echo)
    const { layers, usage } = await ask({ engine }, planFor({ engine }))
    expect(layers.map((layer) => layer.completions.length)).toEqual([5, 5, 1])
    expect(engine.requests.map((r) => r.n)).toEqual([5, 5, 1])
    expect(usage.calls).toBe(3)
  })

  test('engines may leave out deltas if nothing listens, and those of layers that the host does without', async () => {
    const engine = scriptedEngine(echo)
    const asked = () => engine.requests.splice(0).map((r) => r.endsOnly ?? false)
    await ask({ engine }, planFor({ engine }))
    expect(asked()).toEqual([false, false, false])
    await ask({ engine }, planFor({ engine }), { endsOnly: (layer) => layer !== 1 })
    expect(asked()).toEqual([true, false, true])
    await ask({ engine }, planFor({ engine }), { emit: undefined })
    expect(asked()).toEqual([true, true, true])
  })

  test('for every width and depth it is width x depth + 1 completions in depth + 1 calls', () =>
    fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 7 }), fc.nat(4), async (width, depth) => {
        const engine = scriptedEngine(echo)
        const { layers, answer } = await ask({ engine }, planFor({ engine }, { width, depth }))
        expect(layers.flatMap((l) => l.completions)).toHaveLength(depth === 0 ? 1 : width * depth + 1)
        expect(engine.requests).toHaveLength(depth + 1)
        expect(answer).toBe(layers.at(-1)?.completions[0]?.text)
      }),
      { numRuns: 40 },
    ))

  test('every member of a layer sees all completions of the layer before, and nothing older', async () => {
    const engine = layered([['p0', 'p1', 'p2'], ['a0', 'a1', 'a2'], ['end']])
    const { answer, layers } = await ask({ engine }, planFor({ engine }, { width: 3 }))
    expect(answer).toBe('end')
    expect(engine.requests.map(tailOf)).toEqual([
      textOf(question.messages[0] as Message),
      expect.stringMatching(/\n1\. p0\n\n2\. p1\n\n3\. p2\n\n/),
      expect.stringMatching(/\n1\. a0\n\n2\. a1\n\n3\. a2\n\n/),
    ])
    expect(tailOf(engine.requests[2])).not.toContain('p0')
    expect(layers[2]?.completions[0]?.saw).toEqual([0, 1, 2])
    expect(layers[0]?.completions[0]).not.toHaveProperty('saw')
  })

  test('depth 0 is the bare engine: one request, one completion, the conversation as it came', async () => {
    const engine = scriptedEngine(echo)
    const result = await ask({ engine }, planFor({ engine }, { depth: 0, width: 5 }))
    expect(engine.requests).toMatchObject([{ n: 1, messages: question.messages }])
    const alone = await ask({ engine }, planFor({ engine }, { strategy: 'single' }))
    expect(JSON.stringify(engine.requests[1])).toBe(JSON.stringify(engine.requests[0]))
    expect(result.answer).toBe(alone.answer)
  })

  test('the layers sample as the plan says, the last at top-p 1, and where it says nothing nothing is said', async () => {
    const engine = scriptedEngine(echo)
    await ask({ engine }, planFor({ engine }))
    expect(engine.requests.map((r) => r.sampling)).toEqual([{}, {}, {}])
    const common = { temperature: 0.7, maxTokens: 1024 }
    const inner = { ...common, topP: 0.95 }
    await ask({ engine }, planFor({ engine }, inner))
    expect(engine.requests.slice(3).map((r) => r.sampling)).toEqual([inner, inner, { ...common, topP: 1 }])
  })

  test('the same seed gives the same bytes, and another seed others', async () => {
    const run = async (seed: number) => {
      const engine = scriptedEngine(echo)
      return JSON.stringify(await ask({ engine }, planFor({ engine }, { seed, order: 'shuffled' })))
    }
    expect(await run(7)).toBe(await run(7))
    expect(JSON.parse(await run(7)).answer).not.toBe(JSON.parse(await run(8)).answer)
  })

  test('usage is the sum over completions: n times the prompt in, each prompt prefilled once', async () => {
    const engine = layered([['one two', 'three'], ['five']])
    const { usage } = await ask({ engine }, planFor({ engine }, { width: 2, depth: 1 }))
    const [first, last] = await Promise.all(engine.requests.map((r) => engine.countTokens?.(r.messages)))
    const [a, b] = [first as number, last as number]
    expect(usage).toEqual({ calls: 2, inputTokens: 2 * a + b, prefilledTokens: a + b, outputTokens: 4 })
  })
})

test('milliseconds are counted from the request of each completion; of a result, the slowest of each layer', async () => {
  const clock = createVirtualClock()
  const engine = timedEngine(clock, ({ n }, index) => ({ ms: n === 1 ? 10 : 100 * (index + 1) }))
  const { layers, ms } = await ask({ engine }, planFor({ engine }, { width: 2, depth: 1 }), { clock })
  expect(layers.map((l) => l.completions.map((c) => c.ms))).toEqual([[100, 200], [10]])
  expect(ms).toBe(210)
})

describe('relatives are plans of the same loop', () => {
  test("RSA with K = N sends the requests of AFT's layers", async () => {
    for (const order of ['as-sampled', 'shuffled'] as const) {
      const [aft, rsa] = [scriptedEngine(echo), scriptedEngine(echo)]
      await ask({ engine: aft }, planFor({ engine: aft }, { width: 4, depth: 3, order }))
      const options = { strategy: 'rsa', width: 4, sample: 4, steps: 3, order } as const
      await ask({ engine: rsa }, planFor({ engine: rsa }, options))
      expect(rsa.requests).toHaveLength(3)
      expect(JSON.stringify(rsa.requests)).toBe(JSON.stringify(aft.requests.slice(0, 3)))
    }
  })

  test('RSA shows each member a seeded sample of K, and members with the same sample share a request', async () => {
    const engine = scriptedEngine(echo)
    const options = { strategy: 'rsa', width: 6, sample: 2, steps: 3 } as const
    const { layers, from } = await ask({ engine }, planFor({ engine }, options))
    const samples = layers[1]?.completions.map((c) => c.saw) ?? []
    expect(samples.every((saw) => saw?.length === 2 && (saw[0] as number) < (saw[1] as number))).toBe(true)
    const distinct = new Set(samples.map(String))
    expect(distinct.size).toBeGreaterThan(1)
    const requests = engine.requests.filter((r) => tailOf(r).includes('\n1. ') && r !== engine.requests[0])
    expect(requests.length).toBe(
      distinct.size + new Set(layers[2]?.completions.map((c) => String(c.saw))).size,
    )
    expect(from.layer).toBe(2)
  })

  test('in a mixture of agents several models propose, and one aggregates last', async () => {
    const [a, b, c] = ['a', 'b', 'c'].map((id) => scriptedEngine(echo, { id }))
    const engines = { a, b, c } as Record<string, NonNullable<typeof a>>
    const plan = planFor(engines, { strategy: 'moa', proposers: ['a', 'b'], aggregators: ['c'], depth: 2 })
    const { layers } = await ask(engines, plan)
    expect(layers.map((l) => l.completions.map((m) => m.engine))).toEqual([['a', 'b'], ['a', 'b'], ['c']])
    expect(layers[1]?.completions.map((m) => m.saw)).toEqual([
      [0, 1],
      [0, 1],
    ])
    expect(a?.requests[1]?.messages).toEqual(b?.requests[1]?.messages)
  })
})

describe('the conversation', () => {
  const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==', detail: 'low' } }
  const turns: Message[] = [
    { role: 'user', content: [{ type: 'text', text: 'What is this?' }, image] },
    { role: 'assistant', content: 'A fox.', name: 'zoo', refusal: null },
    { role: 'user', content: 'Are you sure?' },
  ]

  test('every turn, its images and unknown fields reach every layer untouched', async () => {
    const engine = scriptedEngine(echo)
    await ask({ engine }, planFor({ engine }), { prompt: { id: 'x', messages: turns } })
    for (const { messages } of engine.requests) expect(messages.slice(0, turns.length)).toEqual(turns)
  })

  test("the user's system prompt stays as it is, for proposers and aggregators", async () => {
    const engine = scriptedEngine(echo)
    const system: Message = { role: 'system', content: 'Speak like a pirate.' }
    await ask({ engine }, planFor({ engine }), { prompt: { id: 'x', messages: [system, ...turns] } })
    for (const { messages } of engine.requests)
      expect(messages.filter((m) => m.role === 'system')).toEqual([system])
  })

  test('tools, response format and log probabilities go to the last layer only, stop strings to all', async () => {
    const engine = scriptedEngine(echo)
    const forLast = {
      tools: [{ type: 'function' as const, function: { name: 'look', parameters: { type: 'object' } } }],
      toolChoice: 'required' as const,
      responseFormat: {
        type: 'json_schema' as const,
        json_schema: { name: 'x', schema: { type: 'object' } },
      },
      logprobs: 3,
    }
    await ask({ engine }, planFor({ engine }), { prompt: { ...question, ...forLast, stop: ['END'] } })
    const [first, second, last] = engine.requests
    for (const request of [first, second]) {
      expect(Object.keys(request ?? {})).not.toEqual(expect.arrayContaining(['tools']))
      expect(request).not.toHaveProperty('toolChoice')
      expect(request).not.toHaveProperty('responseFormat')
      expect(request).not.toHaveProperty('logprobs')
      expect(tailOf(request)).toContain('No tools can be called for this reply.')
    }
    expect(last).toMatchObject(forLast)
    expect(tailOf(last)).not.toContain('No tools')
    expect(engine.requests.map((r) => r.stop)).toEqual([['END'], ['END'], ['END']])
  })

  test('tool calls of the last layer are the answer, though it has no text', async () => {
    const call = { id: 'c', type: 'function' as const, function: { name: 'look', arguments: '{}' } }
    const engine = layered([['a', 'b'], [{ toolCalls: [call] }]])
    const result = await ask({ engine }, planFor({ engine }, { width: 2, depth: 1 }))
    expect(result).toMatchObject({
      answer: '',
      toolCalls: [call],
      finishReason: 'tool-calls',
      degraded: false,
    })
  })
})

describe('what an aggregator is not shown', () => {
  const runaway = 'on and on it goes '.repeat(40)

  test('empty and runaway proposals are left out, and stay visible with the reason', async () => {
    const engine = layered([['good', ' \n', runaway, 'fine'], ['end']])
    const { layers, events, degraded } = await ask({ engine }, planFor({ engine }, { width: 4, depth: 1 }))
    expect(layers[0]?.completions.map((c) => c.excluded)).toEqual([undefined, 'empty', 'runaway', undefined])
    expect(tailOf(engine.requests[1])).toMatch(/\n1\. good\n\n2\. fine\n\n/)
    expect(layers[1]?.completions[0]?.saw).toEqual([0, 3])
    expect(events).toContainEqual({ type: 'layer-end', layer: 0, shown: [0, 3] })
    expect(degraded).toBe(false)
  })

  test('a proposal cut by its token limit is marked as such', async () => {
    const engine = layered([['whole', { text: 'half', finishReason: 'length' }], ['end']])
    await ask({ engine }, planFor({ engine }, { width: 2, depth: 1 }))
    expect(tailOf(engine.requests[1])).toMatch(/\n1\. whole\n\n2\. half \[…\]\n\n/)
  })

  test('where nothing else is left a runaway is the answer, degraded', async () => {
    const engine = layered([[runaway, '']])
    const result = await ask({ engine }, planFor({ engine }, { width: 2 }))
    expect(result).toMatchObject({ answer: runaway, degraded: true })
    expect(result.degradedBecause).toEqual(['every proposal repeats itself'])
  })
})

describe('early stop', () => {
  const agreeing = [['the sky is blue today', 'the sky is blue', 'The sky is blue'], ['never asked']]

  test('proposals that agree enough are answered with the most central one, and the rest is not asked', async () => {
    const engine = layered(agreeing)
    const result = await ask({ engine }, planFor({ engine }, { width: 3, stopAtAgreement: 0.8 }))
    expect(engine.requests).toHaveLength(1)
    expect(result).toMatchObject({ answer: 'the sky is blue', from: { layer: 0, index: 1 }, degraded: false })
    expect(result.layers).toHaveLength(1)
    expect(result.agreed).toBeCloseTo((8 / 9 + 8 / 9 + 1 + 1 + 8 / 9 + 8 / 9) / 6, 1)
  })

  test('two proposals can agree, one alone cannot', async () => {
    const two = layered([['same', 'same'], ['asked']])
    const { answer } = await ask({ two }, planFor({ two }, { width: 2, depth: 1, stopAtAgreement: 1 }))
    const one = layered([['same'], ['asked']])
    const alone = await ask({ one }, planFor({ one }, { width: 1, depth: 1, stopAtAgreement: 1 }))
    expect([answer, alone.answer]).toEqual(['same', 'asked'])
    expect(alone).not.toHaveProperty('agreed')
  })

  test('proposals that agree less go on, and so does a prompt with tools', async () => {
    const engine = layered(agreeing)
    const plan = planFor({ engine }, { width: 3, depth: 1, stopAtAgreement: 0.99 })
    expect((await ask({ engine }, plan)).answer).toBe('never asked')
    const asked = layered(agreeing)
    const tools = [{ type: 'function' as const, function: { name: 'look' } }]
    const eager = planFor({ asked }, { width: 3, depth: 1, stopAtAgreement: 0 })
    expect((await ask({ asked }, eager, { prompt: { ...question, tools } })).answer).toBe('never asked')
  })
})

test('events tell the story in order: layers start, stream, end and close; the answer is last', async () => {
  const engine = layered([['one two', 'three'], ['end']])
  const { events } = await ask({ engine }, planFor({ engine }, { width: 2, depth: 1 }))
  expect(events[0]).toEqual({ type: 'layer-start', layer: 0, width: 2, isLast: false })
  expect(events.at(-1)?.type).toBe('answer')
  const texts = new Map<string, string>()
  for (const event of events) {
    if (event.type === 'completion-delta') {
      const key = `${event.layer}:${event.index}`
      texts.set(key, (texts.get(key) ?? '') + event.text)
    }
  }
  expect(Object.fromEntries(texts)).toEqual({ '0:0': 'one two', '0:1': 'three', '1:0': 'end' })
  const isOf = (layer: number) => (e: AftEvent) => 'layer' in e && e.layer === layer
  expect(events.findLastIndex(isOf(0))).toBeLessThan(events.findIndex(isOf(1)))
})
