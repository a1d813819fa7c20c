import type { OpenAI } from 'openai'
import { describe, expect, test } from 'vitest'
import { echo, type Rule, scriptedEngine } from '../../engines/scripted/scripted.ts'
import { startServer } from './server.fixture.ts'

const rules: Rule[] = [
  { when: /Drafts:/, replies: ['Blue light scatters most.'] },
  { replies: ['Scattering.', 'The air.', 'Short waves.'] },
]
const question = { model: 'aft-fast', input: 'Why is the sky blue?' }
type Event = OpenAI.Responses.ResponseStreamEvent
type Stream = AsyncIterable<Event>

async function collect(stream: Stream): Promise<Event[]> {
  const events: Event[] = []
  for await (const event of stream) events.push(event)
  return events
}
const typesOf = (events: Event[]) => events.map(({ type }) => type.replace('response.', ''))

async function post(url: string, body: object) {
  const headers = { 'content-type': 'application/json' }
  return fetch(`${url}/v1/responses`, { method: 'POST', headers, body: JSON.stringify(body) })
}

describe('the official client', () => {
  test('gets the answer, the sum of all usage, and the outcome of each call', async () => {
    const engine = scriptedEngine(rules)
    const { client } = await startServer(engine)
    const response = await client.responses.create(question)
    expect(response).toMatchObject({
      object: 'response',
      status: 'completed',
      output_text: 'Blue light scatters most.',
      aft: { strategy: 'aft', degraded: false, answeredBy: 'one' },
    })
    expect(response.usage?.total_tokens).toBe(
      (response.usage?.input_tokens ?? 0) + (response.usage?.output_tokens ?? 0),
    )
    expect(response.usage?.output_tokens).toBeGreaterThan(4)
    expect(engine.requests.map((request) => request.n)).toEqual([3, 1])
  })

  test('streams typed events in their order', async () => {
    const { client } = await startServer(scriptedEngine(rules))
    const events = await collect(await client.responses.create({ ...question, stream: true }))
    expect(typesOf(events)).toEqual([
      'created',
      'in_progress',
      'output_item.added',
      'content_part.added',
      ...Array.from({ length: 4 }, () => 'output_text.delta'),
      'output_text.done',
      'content_part.done',
      'output_item.done',
      'completed',
    ])
    expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, i) => i))
    expect(events.at(-1)).toMatchObject({
      response: {
        status: 'completed',
        output: [{ type: 'message', content: [{ type: 'output_text', text: 'Blue light scatters most.' }] }],
        usage: { output_tokens: expect.any(Number) },
        aft: { layers: [{}, {}] },
      },
    })
  })

  test('joins a stream to the same response as the whole one', async () => {
    const { client } = await startServer(scriptedEngine(rules))
    const final = await client.responses.stream({ ...question }).finalResponse()
    expect(final.output_text).toBe('Blue light scatters most.')
  })

  test('sees proposals as reasoning if it asks for them', async () => {
    const { client } = await startServer(scriptedEngine(rules))
    const body = { ...question, stream: true as const, aft: { showProposals: true } }
    const events = await collect(await client.responses.create(body))
    const final = events.at(-1) as OpenAI.Responses.ResponseCompletedEvent
    expect(final.response.output.map((item) => item.type)).toEqual(['reasoning', 'message'])
    const reasoning = events.flatMap((e) => (e.type === 'response.reasoning_text.delta' ? [e.delta] : []))
    expect(reasoning.join('')).toMatch(/^\[proposal 1\]\n.+\[proposal 2\]\n.+\[proposal 3\]\n/s)
  })

  test('calls a tool, and continues with its result', async () => {
    const call = {
      id: 'call_1',
      type: 'function' as const,
      function: { name: 'look', arguments: '{"at":"sky"}' },
    }
    const engine = scriptedEngine([
      { when: (request) => request.messages.some((m) => m.role === 'tool'), replies: ['It is blue.'] },
      { when: (request) => request.tools !== undefined, replies: [{ toolCalls: [call] }] },
      ...rules,
    ])
    const { client } = await startServer(engine)
    const tools = [{ type: 'function' as const, name: 'look', parameters: { type: 'object' }, strict: false }]
    const body = { model: 'single', tools, input: 'What colour is the sky?' }
    const first = await client.responses.create(body)
    const wire = { type: 'function_call', call_id: 'call_1', name: 'look', arguments: '{"at":"sky"}' }
    expect(first.output).toMatchObject([wire])
    const events = await collect(await client.responses.create({ ...body, stream: true }))
    expect(typesOf(events)).toContain('function_call_arguments.done')
    expect(events.at(-1)).toMatchObject({ response: { output: [wire] } })
    const input: OpenAI.Responses.ResponseInput = [
      { role: 'user', content: [{ type: 'input_text', text: 'What colour?' }] },
      ...(first.output as OpenAI.Responses.ResponseFunctionToolCall[]),
      { type: 'function_call_output', call_id: 'call_1', output: '"blue"' },
    ]
    expect((await client.responses.create({ ...body, input })).output_text).toBe('It is blue.')
    expect(engine.requests.at(-1)?.messages.slice(-3)).toEqual([
      { role: 'user', content: 'What colour?' },
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: 'call_1', content: '"blue"' },
    ])
  })

  test('gets a cut answer as incomplete', async () => {
    const { client } = await startServer(
      scriptedEngine([{ replies: [{ text: 'Half', finishReason: 'length' }] }]),
    )
    const body = { ...question, model: 'single' }
    const cut = { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }
    expect(await client.responses.create(body)).toMatchObject({ ...cut, output_text: 'Half' })
    const events = await collect(await client.responses.create({ ...body, stream: true }))
    expect(events.at(-1)).toMatchObject({ type: 'response.incomplete', response: cut })
  })

  test('gets a failure in mid-stream as an error', async () => {
    const error = { kind: 'server' as const, message: 'the line is dead' }
    const { client, url } = await startServer(scriptedEngine([{ replies: [{ text: 'Half an', error }] }]))
    const body = { ...question, model: 'single', stream: true as const }
    await expect(collect(await client.responses.create(body))).rejects.toThrow(/the line is dead/)
    const text = await (await post(url, body)).text()
    expect([...text.matchAll(/^event: (.*)$/gm)].map(([, type]) => type).slice(-2)).toEqual([
      'response.failed',
      'error',
    ])
    expect(text).not.toContain('response.completed')
  })
})

test('images, instructions, sampling and format are passed on', async () => {
  const engine = scriptedEngine([{ replies: ['{}'] }])
  const { client } = await startServer(engine)
  await client.responses.create({
    model: 'single',
    instructions: 'Be brief.',
    input: [
      { role: 'assistant', content: 'Show me.' },
      {
        role: 'user',
        content: [
          { type: 'input_text', text: 'What is it?' },
          { type: 'input_image', image_url: 'data:image/png;base64,AAAA', detail: 'low' },
        ],
      },
    ],
    max_output_tokens: 9,
    temperature: 0.2,
    top_p: 0.5,
    text: { format: { type: 'json_schema', name: 'x', schema: { type: 'object' } } },
  })
  expect(engine.requests).toMatchObject([
    {
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'assistant', content: 'Show me.' },
        {
          content: [
            { type: 'text', text: 'What is it?' },
            { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA', detail: 'low' } },
          ],
        },
      ],
      sampling: { maxTokens: 9, temperature: 0.2, topP: 0.5 },
      responseFormat: { type: 'json_schema', json_schema: { name: 'x', schema: { type: 'object' } } },
    },
  ])
})

test.each([
  ['previous_response_id', { previous_response_id: 'resp_1' }],
  ['store', { store: 'yes' }],
  ['background', { background: true }],
  ['conversation', { conversation: 'c' }],
  ['prompt', { prompt: { id: 'p' } }],
  ['input', { input: [] }],
  ['input', { input: [{ type: 'reasoning', summary: [] }] }],
  ['input.0.role', { input: [{ role: 'king', content: 'x' }] }],
  ['input.0.id', { input: [{ type: 'item_reference', id: 'x' }] }],
  ['input.0.id', { input: [{ type: 'item_reference' }] }],
  ['input.0.type', { input: [{ type: 'computer_call', id: 'x' }] }],
  [
    'input.0.content.0.image_url',
    { input: [{ role: 'user', content: [{ type: 'input_image', file_id: 'f' }] }] },
  ],
  [
    'input.1.output',
    {
      input: [
        { role: 'user', content: 'x' },
        { type: 'function_call_output', call_id: 'c' },
      ],
    },
  ],
  ['tools.0.type', { tools: [{ type: 'web_search' }] }],
  ['tool_choice', { tool_choice: { type: 'function', name: 'look' } }],
  ['max_output_tokens', { max_output_tokens: 0.5 }],
  ['aft.width', { aft: { width: 10_000 } }],
])('a body with a wrong %s is refused', async (param, more) => {
  const engine = scriptedEngine(echo)
  const { url } = await startServer(engine)
  const response = await post(url, { ...question, ...more })
  expect(response.status).toBe(400)
  expect(await response.json()).toMatchObject({ error: { param, type: 'invalid_request_error' } })
  expect(engine.requests).toEqual([])
})
