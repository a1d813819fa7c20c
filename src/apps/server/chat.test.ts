import type { OpenAI } from 'openai'
import { describe, expect, test } from 'vitest'
import { type Rule, scriptedEngine } from '../../engines/scripted/scripted.ts'
import { readEvents, startServer, user } from './server.fixture.ts'

const isAggregator = /Drafts:/
const rules: Rule[] = [
  { when: isAggregator, replies: ['Blue light scatters most.'] },
  { replies: ['Scattering.', 'The air.', 'Short waves.'] },
]
const question = { model: 'aft-fast', messages: user('Why is the sky blue?') }
type Extra = { aft?: Record<string, unknown> }
type ChunkWith = OpenAI.ChatCompletionChunk & { aft?: { seed: number; layers: unknown[] } }

async function collect(stream: AsyncIterable<OpenAI.ChatCompletionChunk>): Promise<ChunkWith[]> {
  const chunks: ChunkWith[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return chunks
}

describe('the official client', () => {
  test('gets the aggregated answer, the sum of all usage, and the outcome of each call', async () => {
    const engine = scriptedEngine(rules)
    const { client } = await startServer(engine)
    const answer = await client.chat.completions.create({ ...question, seed: 7 })
    expect(answer.choices).toMatchObject([
      {
        index: 0,
        message: { role: 'assistant', content: 'Blue light scatters most.' },
        finish_reason: 'stop',
      },
    ])
    const { aft } = answer as Extra
    expect(aft).toMatchObject({ strategy: 'aft', seed: 7, degraded: false, from: { layer: 1, index: 0 } })
    const layers = aft?.layers as { completions: { usage: { outputTokens: number } }[] }[]
    const calls = layers.flatMap((layer) => layer.completions)
    expect(calls.length).toBe(4)
    expect(answer.usage?.completion_tokens).toBe(calls.reduce((sum, c) => sum + c.usage.outputTokens, 0))
    expect(engine.requests.map((request) => request.n)).toEqual([3, 1])
  })

  test('streams the same, with one id in all chunks and the trace in the last', async () => {
    const { client } = await startServer(scriptedEngine(rules))
    const stream = await client.chat.completions.create({
      ...question,
      stream: true,
      stream_options: { include_usage: true },
    })
    const chunks = await collect(stream)
    expect(new Set(chunks.map((c) => c.id)).size).toBe(1)
    expect(chunks[0]?.choices[0]?.delta).toEqual({ role: 'assistant', content: '' })
    expect(chunks.map((c) => c.choices[0]?.delta.content ?? '').join('')).toBe('Blue light scatters most.')
    expect(chunks.filter((c) => c.choices[0]?.delta.content).length).toBe(4)
    const last = chunks.at(-1)
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('stop')
    expect(last?.choices).toEqual([])
    expect(last?.aft?.layers.length).toBe(2)
    expect(last?.usage?.total_tokens).toBeGreaterThan(0)
    expect(chunks.slice(0, -1).every((c) => c.usage === null && c.aft === undefined)).toBe(true)
  })

  test('without include_usage gets no usage, and a choice in every chunk', async () => {
    const { client } = await startServer(scriptedEngine(rules))
    const chunks = await collect(await client.chat.completions.create({ ...question, stream: true }))
    expect(chunks.some((c) => 'usage' in c)).toBe(false)
    expect(chunks.every((c) => c.choices.length === 1)).toBe(true)
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('stop')
    expect(chunks.at(-1)?.aft?.layers.length).toBe(2)
  })

  test('gets n answers that share their proposals', async () => {
    const engine = scriptedEngine([{ when: isAggregator, replies: ['A', 'B', 'C'] }, ...rules])
    const { client } = await startServer(engine)
    const { choices } = await client.chat.completions.create({ ...question, n: 3, seed: 1 })
    expect(choices.map((c) => c.index)).toEqual([0, 1, 2])
    expect(choices.map((c) => c.message.content).sort()).toEqual(['A', 'B', 'C'])
    expect(engine.requests.map((request) => request.n)).toEqual([3, 3])
  })

  test('sees proposals as reasoning if it asks for them', async () => {
    const { client } = await startServer(scriptedEngine(rules))
    const body = { ...question, stream: true as const, seed: 1, aft: { showProposals: true } }
    const chunks = await collect(await client.chat.completions.create(body))
    const reasoning = chunks
      .map((c) => (c.choices[0]?.delta as { reasoning_content?: string })?.reasoning_content ?? '')
      .join('')
    expect(reasoning).toMatch(/^\[proposal 1\]\n.+\n\n\[proposal 2\]\n.+\n\n\[proposal 3\]\n.+\n\n$/)
    expect(chunks.map((c) => c.choices[0]?.delta.content ?? '').join('')).toBe('Blue light scatters most.')
  })

  test('has its images, stop, limits, format and sampling passed on', async () => {
    const engine = scriptedEngine([{ replies: ['{"is": "a dot"}'] }])
    const { client } = await startServer(engine)
    const image = { type: 'image_url' as const, image_url: { url: 'data:image/png;base64,AAAA' } }
    await client.chat.completions.create({
      model: 'single',
      messages: [{ role: 'user', content: [{ type: 'text', text: 'What is it?' }, image] }],
      max_completion_tokens: 9,
      temperature: 0.2,
      top_p: 0.5,
      presence_penalty: 1,
      stop: 'END',
      response_format: { type: 'json_schema', json_schema: { name: 'x', schema: { type: 'object' } } },
    })
    expect(engine.requests).toMatchObject([
      {
        messages: [{ content: [{ type: 'text' }, image] }],
        sampling: { maxTokens: 9, temperature: 0.2, topP: 0.5, presencePenalty: 1 },
        stop: ['END'],
        responseFormat: { json_schema: { name: 'x' } },
      },
    ])
  })

  test('gets log probabilities with a whole and with a streamed answer', async () => {
    const logprobs = [{ token: 'Yes', logprob: -0.5, top: [{ token: 'Yes', logprob: -0.5 }] }]
    const { client } = await startServer(scriptedEngine([{ replies: [{ text: 'Yes', logprobs }] }]))
    const body = { ...question, model: 'single', logprobs: true, top_logprobs: 1 }
    const wire = {
      content: [
        {
          token: 'Yes',
          logprob: -0.5,
          bytes: [89, 101, 115],
          top_logprobs: [{ token: 'Yes', logprob: -0.5, bytes: [89, 101, 115] }],
        },
      ],
    }
    const whole = await client.chat.completions.create(body)
    expect(whole.choices[0]?.logprobs).toMatchObject(wire)
    const chunks = await collect(await client.chat.completions.create({ ...body, stream: true }))
    expect(chunks.at(-1)?.choices[0]?.logprobs).toMatchObject(wire)
  })

  test('lists models and reads one', async () => {
    const { client } = await startServer(scriptedEngine(rules), { presets: { 'house-blend': { width: 2 } } })
    const names = (await client.models.list()).data.map((model) => model.id)
    expect(names).toEqual(['aft', 'aft-fast', 'paper', 'moa', 'rsa', 'single', 'house-blend'])
    expect(await client.models.retrieve('house-blend')).toMatchObject({ id: 'house-blend', object: 'model' })
    await expect(client.models.retrieve('gpt-5')).rejects.toMatchObject({ status: 404, param: 'model' })
  })
})

describe('tools', () => {
  const call = {
    id: 'call_1',
    type: 'function' as const,
    function: { name: 'look', arguments: '{"at":"sky"}' },
  }
  const tools = [{ type: 'function' as const, function: { name: 'look', parameters: { type: 'object' } } }]
  const hasTools: Rule['when'] = (request) => request.tools !== undefined
  const body = { ...question, tools }

  test('go only to the last aggregator', async () => {
    const engine = scriptedEngine([{ when: hasTools, replies: [{ toolCalls: [call] }] }, ...rules])
    const { client } = await startServer(engine)
    const { choices } = await client.chat.completions.create(body)
    expect(choices[0]).toMatchObject({
      finish_reason: 'tool_calls',
      message: { content: null, tool_calls: [call] },
    })
    expect(engine.requests.map((request) => request.tools?.length)).toEqual([undefined, 1])
  })

  test('stream as deltas that the client joins', async () => {
    const { client } = await startServer(
      scriptedEngine([{ when: hasTools, replies: [{ toolCalls: [call] }] }, ...rules]),
    )
    const final = await client.chat.completions.stream({ ...body, stream: true }).finalChatCompletion()
    expect(final.choices[0]?.message.tool_calls).toMatchObject([{ id: 'call_1', function: call.function }])
    expect(final.choices[0]?.finish_reason).toBe('tool_calls')
  })

  test('go to the bare engine with bypass', async () => {
    const engine = scriptedEngine([{ when: hasTools, replies: [{ toolCalls: [call] }] }])
    const { client } = await startServer(engine)
    const request = { ...body, aft: { tools: 'bypass' } }
    const { choices } = await client.chat.completions.create(request)
    expect(choices[0]?.message.tool_calls).toMatchObject([call])
    expect(engine.requests.length).toBe(1)
  })

  test('are answered by the first proposer that calls one, with first-call', async () => {
    const engine = scriptedEngine([{ when: hasTools, replies: ['No need.', { toolCalls: [call] }, 'None.'] }])
    const { client } = await startServer(engine)
    const request = { ...body, aft: { tools: 'first-call' } }
    const answer = await client.chat.completions.create(request)
    expect(answer.choices[0]?.message.tool_calls).toMatchObject([call])
    expect(engine.requests.length).toBe(1)
    expect((answer as Extra).aft).toMatchObject({ from: { layer: 0 } })
  })

  test('with first-call and no call, the texts are aggregated and nothing is sampled twice', async () => {
    const engine = scriptedEngine(rules)
    const { client } = await startServer(engine)
    const request = { ...body, aft: { tools: 'first-call' } }
    const { choices } = await client.chat.completions.create(request)
    expect(choices[0]?.message.content).toBe('Blue light scatters most.')
    expect(engine.requests.map((r) => [r.n, r.tools?.length])).toEqual([
      [3, 1],
      [1, 1],
    ])
  })
})

describe('the field aft', () => {
  test('shapes the plan', async () => {
    const engine = scriptedEngine(rules)
    const { client } = await startServer(engine)
    const request = { ...question, model: 'aft', aft: { width: 2, depth: 2 } }
    const answer = await client.chat.completions.create(request)
    expect(engine.requests.map((r) => r.n)).toEqual([2, 2, 1])
    expect((answer as Extra).aft?.layers).toHaveLength(3)
  })

  test('keeps the token limit of the request for every call', async () => {
    const engine = scriptedEngine(rules)
    const { client } = await startServer(engine)
    await client.chat.completions.create({ ...question, model: 'paper', max_tokens: 33, temperature: 0.3 })
    const limits = engine.requests.map(({ sampling }) => [sampling.maxTokens, sampling.temperature])
    expect(limits).toEqual(Array.from({ length: 3 }, () => [33, 0.3]))
  })

  test('uses the engine’s default limit unless the request sets one', async () => {
    const engine = scriptedEngine(rules)
    const { client } = await startServer(Object.assign(engine, { defaultMaxTokens: 96 }))
    await client.chat.completions.create(question)
    await client.chat.completions.create({ ...question, max_tokens: 33 })
    expect(engine.requests.map(({ sampling }) => sampling.maxTokens)).toEqual([96, 96, 33, 33])
  })

  test('turns aggregation off for a request', async () => {
    const engine = scriptedEngine(rules)
    const { client } = await startServer(engine)
    const request = { ...question, aft: { enabled: false } }
    await client.chat.completions.create(request)
    expect(engine.requests.map((r) => r.n)).toEqual([1])
  })

  test('names engines for the roles', async () => {
    const [a, b] = [scriptedEngine(rules), scriptedEngine(rules)]
    const { client } = await startServer(a, { engines: { a, b } })
    const request = { ...question, aft: { proposers: ['a'], aggregators: ['b'] } }
    await client.chat.completions.create(request)
    expect([a.requests.length, b.requests.length]).toEqual([1, 1])
  })
})

test('a strategy that picks sends its answer at the end', async () => {
  const { post } = await startServer(scriptedEngine([{ replies: ['The answer is 4.'] }]))
  const events = await readEvents(
    await post({ ...question, model: 'aft', stream: true, aft: { strategy: 'self-consistency', width: 3 } }),
  )
  const text = events
    .map((e) => (e === '[DONE]' ? '' : (e as unknown as ChunkWith).choices[0]?.delta.content))
    .join('')
  expect(text).toBe('The answer is 4.')
  expect(events.at(-1)).toBe('[DONE]')
})
