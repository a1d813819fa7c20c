import { generateText, Output, stepCountIs, streamText, tool } from 'ai'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { UsageError } from '../../core/provider/errors.ts'
import { fromAiSdk } from '../../engines/ai-sdk/ai-sdk.ts'
import { scriptedEngine } from '../../engines/scripted/scripted.ts'
import { paperTemplate } from '../../plans/wordings.ts'
import { createAft } from './ai-sdk.ts'

const isAggregator = /^1\. /m
const script = [
  { when: isAggregator, replies: ['Air scatters blue light most.'] },
  { replies: ['It mirrors the sea.', 'Air scatters blue.'] },
]
const small = { width: 2, depth: 1 }

test('generateText gives the aggregated answer, the usage of all calls, and the trace', async () => {
  const aft = createAft({ engine: scriptedEngine(script), ...small })
  const { text, finishReason, usage, providerMetadata, reasoning, warnings } = await generateText({
    model: aft('aft'),
    prompt: 'Why is the sky blue?',
    seed: 7,
  })
  expect(text).toBe('Air scatters blue light most.')
  expect(finishReason).toBe('stop')
  expect(usage).toMatchObject({ outputTokens: 12 })
  expect(reasoning).toEqual([])
  expect(warnings).toEqual([])
  expect(providerMetadata?.aft).toMatchObject({
    strategy: 'aft',
    seed: 7,
    degraded: false,
    layers: [{ completions: [{ index: 0 }, { index: 1 }], failures: [] }, { completions: [{ saw: [0, 1] }] }],
  })
  expect(JSON.stringify(providerMetadata)).not.toContain('mirrors')
})

test('streamText streams the answer; proposals are reasoning parts if asked for', async () => {
  const aft = createAft({ engine: scriptedEngine(script), ...small, showProposals: true })
  const result = streamText({ model: aft('aft'), prompt: 'Why is the sky blue?', seed: 7 })
  const deltas: string[] = []
  const proposals: Record<string, string> = {}
  for await (const part of result.stream) {
    if (part.type === 'text-delta') deltas.push(part.text)
    if (part.type === 'reasoning-delta') proposals[part.id] = (proposals[part.id] ?? '') + part.text
  }
  expect(deltas.length).toBeGreaterThan(3)
  expect(deltas.join('')).toBe('Air scatters blue light most.')
  expect(Object.keys(proposals).sort()).toEqual(['proposal-0-0', 'proposal-0-1'])
  expect(Object.values(proposals).sort()).toEqual(['Air scatters blue.', 'It mirrors the sea.'])
  expect(JSON.stringify((await result.providerMetadata)?.aft)).toContain('mirrors')
  expect(await result.usage).toMatchObject({ outputTokens: 12 })
})

test('without streaming, proposals come before the answer and have their places', async () => {
  const aft = createAft({ engine: scriptedEngine(script), ...small })
  const providerOptions = { aft: { showProposals: true, width: 3 } }
  const { reasoning } = await generateText({ model: aft('aft'), prompt: 'Why?', providerOptions })
  const places = reasoning.map((part) => part.providerMetadata)
  expect(places).toEqual([0, 1, 2].map((index) => ({ aft: { layer: 0, index } })))
})

test('structured output: proposals and answer are asked for the schema', async () => {
  const engine = scriptedEngine([{ replies: ['{"river": "Rhine", "km": 1230}'] }])
  const { output } = await generateText({
    model: createAft({ engine, ...small })('aft'),
    output: Output.object({ schema: z.object({ river: z.string(), km: z.number() }) }),
    prompt: 'Name a river.',
  })
  expect(output).toEqual({ river: 'Rhine', km: 1230 })
  expect(engine.requests.map((request) => request.responseFormat?.type)).toEqual([
    'json_schema',
    'json_schema',
  ])
})

test('structured output that breaks its schema is repaired before anything of it is streamed', async () => {
  const good = '{"river": "Rhine", "km": 1230}'
  const bad = '{"river": "Rhine", "km": "long"}'
  const engine = scriptedEngine(({ messages }) => (messages.at(-2)?.content === bad ? good : bad))
  const ask = {
    model: createAft({ engine })('single'),
    output: Output.object({ schema: z.object({ river: z.string(), km: z.number() }) }),
    prompt: 'Name a river.',
  }
  expect((await generateText(ask)).output).toEqual({ river: 'Rhine', km: 1230 })
  const streamed = streamText(ask)
  expect(await streamed.text).toBe(good)
  expect(await streamed.output).toEqual({ river: 'Rhine', km: 1230 })
  expect((await streamed.providerMetadata)?.aft).toMatchObject({ degraded: false })
})

test('tools: proposers get none, the aggregator calls, and the result comes back as a turn', async () => {
  const call = {
    id: 'c1',
    type: 'function' as const,
    function: { name: 'weather', arguments: '{"city":"Bonn"}' },
  }
  const engine = scriptedEngine([
    { when: (request) => request.messages.some((m) => m.role === 'tool'), replies: ['It rains in Bonn.'] },
    { when: (request) => request.tools !== undefined, replies: [{ toolCalls: [call] }] },
    { replies: ['I would look at the weather.'] },
  ])
  const ask = {
    model: createAft({ engine, ...small })('aft'),
    prompt: 'Does it rain in Bonn?',
    tools: {
      weather: tool({
        inputSchema: z.object({ city: z.string() }),
        execute: ({ city }) => `rain in ${city}`,
      }),
    },
    stopWhen: stepCountIs(2),
  }
  const { text, steps } = await generateText(ask)
  expect(text).toBe('It rains in Bonn.')
  expect(steps[0]?.toolResults).toMatchObject([{ toolName: 'weather', output: 'rain in Bonn' }])
  expect(engine.requests.map((request) => request.tools?.length)).toEqual([undefined, 1, 1])
  expect(engine.requests.at(-1)?.messages.at(-1)).toMatchObject({ role: 'tool', tool_call_id: 'c1' })

  const streamed = streamText(ask)
  expect(await streamed.text).toBe('It rains in Bonn.')
  expect((await streamed.steps)[0]?.toolCalls).toMatchObject([{ input: { city: 'Bonn' } }])
})

test('the effort of a call reaches every engine', async () => {
  const engine = scriptedEngine(script)
  const ask = { model: createAft({ engine, ...small })('aft'), prompt: 'Why is the sky blue?' }
  await generateText({ ...ask, reasoning: 'low' })
  const { warnings } = await generateText({ ...ask, reasoning: 'provider-default' })
  expect(warnings).toEqual([])
  const efforts = engine.requests.map(({ sampling }) => sampling.reasoning)
  expect(efforts).toEqual(['low', 'low', undefined, undefined])
})

test('models of the AI SDK can be engines, aft itself too', async () => {
  const inner = createAft({ engine: scriptedEngine(script), ...small })('single')
  const aft = createAft({ engines: { inner, other: fromAiSdk(inner) }, ...small })
  const { text } = await generateText({ model: aft('moa'), prompt: 'Why?' })
  expect(text).toBe('Air scatters blue light most.')
})

test('a failed proposal is in the trace, and if none is left the call fails', async () => {
  const fail = { error: { kind: 'server' as const, message: 'broken pipe', isRetryable: false } }
  const some = scriptedEngine([
    { when: isAggregator, replies: ['Fine.'] },
    { replies: ['One.', fail], pick: 'index' },
  ])
  const { text, providerMetadata } = await generateText({
    model: createAft({ engine: some, ...small })('aft'),
    prompt: 'Why?',
  })
  expect(text).toBe('Fine.')
  expect(providerMetadata?.aft).toMatchObject({ degraded: true, layers: [{ failures: [{ index: 1 }] }, {}] })

  const model = createAft({ engine: scriptedEngine([{ replies: [fail] }]), ...small })('aft')
  await expect(generateText({ model, prompt: 'Why?', maxRetries: 0 })).rejects.toThrow(/broken pipe/)
  const errors: unknown[] = []
  const streamed = streamText({
    model,
    prompt: 'Why?',
    maxRetries: 0,
    onError: ({ error }) => void errors.push(error),
  })
  for await (const part of streamed.stream) void part
  expect(String(errors[0])).toMatch(/broken pipe/)
})

test('an abort stops every call, and so does a reader that cancels', async () => {
  const signals: (AbortSignal | undefined)[] = []
  const engine = scriptedEngine((request) => {
    signals.push(request.signal)
    return { text: 'word '.repeat(1_000), delayMs: 20 }
  })
  const model = createAft({ engine, ...small })('aft')
  const caller = new AbortController()
  const text = generateText({ model, prompt: 'Why?', abortSignal: caller.signal, maxRetries: 0 })
  setTimeout(() => caller.abort(), 50)
  await expect(text).rejects.toThrow(/abort/i)

  const { stream } = await model.doStream({
    prompt: [{ role: 'user', content: [{ type: 'text', text: 'Why?' }] }],
  })
  const reader = stream.getReader()
  await reader.read()
  await new Promise((resolve) => setTimeout(resolve, 50))
  await reader.cancel()
  expect(signals.length).toBe(4)
  expect(signals.every((signal) => signal?.aborted)).toBe(true)
})

test('files, earlier turns and an instruction reach every layer', async () => {
  const engine = scriptedEngine(script)
  await generateText({
    model: createAft({ engine, ...small })('aft'),
    instructions: 'Be brief.',
    messages: [
      { role: 'user', content: 'Hello' },
      {
        role: 'assistant',
        content: [
          { type: 'reasoning', text: 'secret' },
          { type: 'text', text: 'Hi.' },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What is it?' },
          { type: 'file', mediaType: 'image/png', data: new Uint8Array([1, 2, 3]) },
        ],
      },
    ],
  })
  const turns = [
    { role: 'user', content: 'Hello' },
    { role: 'assistant', content: 'Hi.' },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'What is it?' },
        { type: 'image_url', image_url: { url: 'data:image/png;base64,AQID' } },
      ],
    },
  ]
  for (const { messages } of engine.requests) {
    expect(messages.slice(0, 4)).toEqual([{ role: 'system', content: 'Be brief.' }, ...turns])
  }
})

test('wrong options are errors before the first call', async () => {
  const engine = scriptedEngine(script)
  expect(() => createAft({})).toThrow(UsageError)
  const withSchema = { engine, schema: {} }
  expect(() => createAft(withSchema)).toThrow('`schema`: give each call its own')
  expect(() => createAft({ engine })('gpt')).toThrow(/No such languageModel: gpt/)
  expect(() => createAft({ engine }).embeddingModel('aft')).toThrow(/No such/)
  const model = createAft({ engine })('aft')
  const providerOptions = { aft: { widht: 3 } }
  await expect(generateText({ model, prompt: 'Why?', providerOptions, maxRetries: 0 })).rejects.toThrow(
    /widht/,
  )
  expect(engine.requests).toEqual([])
})

test('each model has the wording of its preset, and a trained model that of its card', async () => {
  const plain = scriptedEngine(script)
  const tuned = Object.assign(scriptedEngine(script), { template: { ...paperTemplate, id: 'mine' } })
  const aft = createAft({ engines: { plain, tuned }, proposers: ['plain'] })
  const prompt = 'Why?'
  await generateText({ model: aft('aft'), prompt })
  await generateText({ model: aft('paper'), prompt })
  const { providerMetadata } = await generateText({
    model: aft('aft'),
    prompt,
    providerOptions: { aft: { aggregators: ['tuned'] } },
  })
  const question = [{ role: 'user', content: prompt }]
  const newline = { role: 'system', content: '\n' }
  const asked = plain.requests.map(({ messages }) => messages)
  const proposing = asked.filter((messages) => !JSON.stringify(messages).includes('Drafts:'))
  expect(proposing).toEqual([question, [newline, ...question], [newline, ...question]])
  expect(providerMetadata?.aft?.template).toMatchObject({ id: 'mine' })
})
