/** Loops of tool calls with the AI SDK: how often the panel of proposers runs, and which drafts a step is shown. */
import { generateText, stepCountIs, streamText, tool } from 'ai'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { type Message, textOf } from '../../core/provider/engine.ts'
import { type ScriptedEngine, scriptedEngine } from '../../engines/scripted/scripted.ts'
import { createAft } from './ai-sdk.ts'

let calls = 0

/** Proposes, calls a tool three times, and then answers. */
function looping(name = 'draft'): ScriptedEngine {
  return scriptedEngine(({ tools, messages }, index) => {
    if (!tools) return `${name} ${index + 1}`
    const since = messages.slice(
      messages.findLastIndex((m) => m.role === 'user' && !/draft/i.test(textOf(m))),
    )
    const results = since.filter((m) => m.role === 'tool').length
    if (results === 3) return 'It rains.'
    const call = { name: 'weather', arguments: `{"day":${results}}` }
    return { toolCalls: [{ id: `call-${calls++}`, type: 'function', function: call }] }
  })
}

const tools = {
  weather: tool({ inputSchema: z.object({ day: z.number() }), execute: ({ day }) => `rain on day ${day}` }),
}
interface Trace {
  panel: object
  usage: { calls: number }
  layers: { completions: { reused?: true; usage: { calls: number } }[] }[]
}
const paper = { width: 5, depth: 2 }
const ask = { prompt: 'Does it rain?', tools, stopWhen: stepCountIs(10) }

const count = ({ requests }: ScriptedEngine) => requests.reduce((sum, { n }) => sum + n, 0)
const said = ({ messages }: { messages: Message[] }) => messages.map(textOf).join('\n')

test.each([
  ['by default', {}, 11 + 3],
  ['once for each turn', { panel: 'turn' }, 11 + 3],
  ['at every step', { panel: 'step' }, 44],
  ['at every second step', { panel: { every: 2 } }, 11 + 1 + 11 + 1],
  ['at every third step', { panel: { every: 3 } }, 11 + 1 + 1 + 11],
] as const)('four steps at 5 x 2 with the panel %s', async (_, options, completions) => {
  const engine = looping()
  const { text, steps } = await generateText({
    ...ask,
    model: createAft({ engine, ...paper, ...options })('aft'),
  })
  expect([text, steps.length, count(engine)]).toEqual(['It rains.', 4, completions])

  const streamed = looping()
  const result = streamText({
    ...ask,
    model: createAft({ engine: streamed, ...paper })('aft'),
    providerOptions: { aft: options },
  })
  expect(await result.text).toBe('It rains.')
  expect(count(streamed)).toBe(completions)
})

test('each step is shown the drafts of its turn, costs only itself, and says what it reused', async () => {
  const engine = looping()
  const { steps, totalUsage } = await generateText({ ...ask, model: createAft({ engine, ...paper })('aft') })
  const last = engine.requests.slice(3)
  expect(last).toHaveLength(3)
  for (const request of last) {
    expect(request.tools).toHaveLength(1)
    for (const number of [1, 2, 3, 4, 5]) expect(said(request)).toContain(`${number}. draft ${number}`)
  }
  const traces = steps.map((step) => step.providerMetadata?.aft as unknown as Trace)
  expect(traces.map(({ panel }) => panel)).toEqual([
    { step: 0, drafts: 'new' },
    { step: 1, drafts: 'reused' },
    { step: 2, drafts: 'reused' },
    { step: 3, drafts: 'reused' },
  ])
  expect(traces.map(({ usage }) => usage.calls)).toEqual([3, 1, 1, 1])
  const [, second] = traces
  expect(second).toMatchObject({ degraded: false, from: { layer: 2 } })
  const reused = second?.layers.map(({ completions }) => completions.map((c) => [c.reused, c.usage.calls]))
  expect(reused).toEqual([Array(5).fill([true, 0]), Array(5).fill([true, 0]), [[undefined, 1]]])
  const total = steps.reduce((sum, { usage }) => sum + (usage.outputTokens ?? 0), 0)
  expect(totalUsage.outputTokens).toBe(total)
  expect(traces[0]?.usage).toMatchObject({ outputTokens: 20 })
  expect(traces[1]?.usage).toMatchObject({ outputTokens: 0 })
})

test.each([
  ['turn', { panel: 'turn' }],
  ['every', { panel: { every: 2 } }],
] as const)(
  'the messages of a step begin with those of the step before, up to the next panel: %s',
  async (_, options) => {
    const engine = looping()
    await generateText({ ...ask, model: createAft({ engine, width: 2, depth: 1, ...options })('aft') })
    const last = engine.requests.filter((request) => request.tools).map(({ messages }) => messages)
    const pairs = options.panel === 'turn' ? [0, 1, 2] : [0, 2]
    for (const i of pairs) {
      const [before, after] = [last[i] as Message[], last[i + 1] as Message[]]
      expect(after.slice(0, before.length)).toEqual(before)
      expect(after.length).toBe(before.length + 2)
    }
  },
)

test('shown proposals are content of the step that wrote them only', async () => {
  const model = createAft({ engine: looping(), width: 2, depth: 1, showProposals: true })('aft')
  const { steps } = await generateText({ ...ask, model })
  expect(steps.map(({ reasoning }) => reasoning.length)).toEqual([2, 0, 0, 0])
  const streamed = streamText({ ...ask, model })
  expect((await streamed.steps).map(({ reasoning }) => reasoning.length)).toEqual([2, 0, 0, 0])
})

test('a new turn of the user has a panel of its own', async () => {
  const engine = looping()
  const model = createAft({ engine, ...paper })('aft')
  const first = await generateText({ ...ask, model })
  const messages = [
    { role: 'user' as const, content: ask.prompt },
    ...first.responseMessages,
    { role: 'user' as const, content: 'And tomorrow?' },
  ]
  const second = await generateText({ ...ask, prompt: undefined, messages, model })
  expect([second.steps.length, count(engine)]).toEqual([4, 2 * (11 + 3)])
})

test('a mixture and recursive aggregation: one completion of the last layer per step', async () => {
  const engine = looping()
  await generateText({ ...ask, model: createAft({ engine, strategy: 'moa', width: 3 })('aft') })
  expect(count(engine)).toBe(4 + 3)
  const recursive = looping()
  const { text } = await generateText({
    ...ask,
    model: createAft({ engine: recursive, strategy: 'rsa' })('aft'),
  })
  expect([text, count(recursive)]).toEqual(['It rains.', 9 + 3])
})

test('plans without an aggregator run whole at every step', async () => {
  const engine = looping()
  await generateText({ ...ask, model: createAft({ engine, strategy: 'self-consistency', width: 3 })('aft') })
  expect(count(engine)).toBe(12)
  const single = looping()
  const { steps } = await generateText({ ...ask, model: createAft({ engine: single })('single') })
  expect(count(single)).toBe(4)
  expect(steps[0]?.providerMetadata?.aft).not.toHaveProperty('panel')
})

test('the same conversation several times at once: each run keeps to its own drafts', async () => {
  let runs = 0
  const engine = scriptedEngine(({ tools, messages }, index) => {
    if (!tools) return `draft ${index + 1} of run ${index === 0 ? ++runs : runs}`
    const results = messages.filter((m) => m.role === 'tool').length
    if (results === 3)
      return (
        said({ messages })
          .match(/of run \d/g)
          ?.join() ?? ''
      )
    const call = { name: 'weather', arguments: `{"day":${results}}` }
    return { toolCalls: [{ id: `call-${calls++}`, type: 'function', function: call }], delayMs: 1 }
  })
  const model = createAft({ engine, width: 2, depth: 1 })('aft')
  const texts = await Promise.all([1, 2, 3].map(async () => (await generateText({ ...ask, model })).text))
  expect(count(engine)).toBe(3 * (3 + 3))
  expect(texts.toSorted()).toEqual(['of run 1,of run 1', 'of run 2,of run 2', 'of run 3,of run 3'])
})

test('in the mode first-call the drafts that called nothing are shown at the next steps', async () => {
  const engine = scriptedEngine(({ tools, messages }, index) => {
    const results = messages.filter((m) => m.role === 'tool').length
    if (results > 0) return `done with ${said({ messages }).match(/a thought/g)?.length ?? 0}`
    if (!tools || index === 0) return 'a thought'
    const call = { name: 'weather', arguments: '{"day":0}' }
    return { toolCalls: [{ id: `call-${calls++}`, type: 'function', function: call }], delayMs: 20 }
  })
  const model = createAft({ engine, width: 3, depth: 2 })('aft')
  const { text, steps } = await generateText({
    ...ask,
    model,
    providerOptions: { aft: { tools: 'first-call' } },
  })
  expect([text, steps.length, engine.requests.length]).toEqual(['done with 1', 2, 2])
  expect(steps[1]?.providerMetadata?.aft).toMatchObject({ degraded: false, panel: { drafts: 'reused' } })
})

test('if every proposer called, the aggregator goes alone', async () => {
  const engine = scriptedEngine(({ messages }) => {
    if (messages.some((m) => m.role === 'tool')) return 'done'
    return {
      toolCalls: [
        { id: `call-${calls++}`, type: 'function', function: { name: 'weather', arguments: '{"day":0}' } },
      ],
    }
  })
  const model = createAft({ engine, width: 2, showProposals: true })('aft')
  const ask1 = { ...ask, model, providerOptions: { aft: { tools: 'first-call' as const } } }
  expect((await generateText(ask1)).text).toBe('done')
  const streamed = streamText(ask1)
  expect(await streamed.text).toBe('done')
  expect((await streamed.steps).at(-1)?.reasoning).toEqual([])
})

test('an aborted turn leaves nothing behind that a later one could take', async () => {
  const caller = new AbortController()
  const engine = looping()
  const model = createAft({ engine, width: 2, depth: 1 })('aft')
  const slow = tool({
    inputSchema: z.object({ day: z.number() }),
    execute: ({ day }) => {
      if (day === 1) caller.abort()
      return 'rain'
    },
  })
  const aborted = generateText({
    ...ask,
    model,
    tools: { weather: slow },
    abortSignal: caller.signal,
    maxRetries: 0,
  })
  await expect(aborted).rejects.toThrow(/abort/i)
  const before = count(engine)
  const { steps } = await generateText({ ...ask, model })
  expect([steps.length, count(engine) - before]).toEqual([4, 3 + 3])
})
