import { describe, expect, test } from 'vitest'
import { type Rule, scriptedEngine } from '../../../engines/scripted/scripted.ts'
import { startServer } from '../server.fixture.ts'

const rules: Rule[] = [
  { when: /Drafts:/, replies: ['Blue light scatters most.'] },
  { replies: ['Scattering.', 'The air.', 'Short waves.'] },
]
const question = {
  model: 'aft-fast',
  max_tokens: 100,
  messages: [{ role: 'user', content: 'Why is the sky blue?' }],
}
const call = {
  id: 'call_1',
  type: 'function' as const,
  function: { name: 'look', arguments: '{"at":"sky"}' },
}
const wait = { id: 'call_2', type: 'function' as const, function: { name: 'wait', arguments: '{"s":1}' } }
const tools = [
  { name: 'look', description: 'Looks.', input_schema: { type: 'object' } },
  { type: 'custom', name: 'wait', input_schema: { type: 'object' } },
]

type Event = { type: string; [field: string]: unknown }

async function start(script: Rule[] = rules, options: Parameters<typeof startServer>[1] = {}) {
  const engine = scriptedEngine(script)
  const { url } = await startServer(engine, options)
  const post = (body: object, headers: Record<string, string> = {}, path = '/v1/messages') =>
    fetch(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01', ...headers },
      body: JSON.stringify(body),
    })
  const stream = async (body: object): Promise<Event[]> => {
    const text = await (await post({ ...body, stream: true })).text()
    const pairs = [...text.matchAll(/^event: (.*)\ndata: (.*)$/gm)]
    for (const [, name, data = ''] of pairs) expect(JSON.parse(data).type).toBe(name)
    return pairs.map(([, , data = '']) => JSON.parse(data))
  }
  return { engine, url, post, stream }
}

describe('an answer', () => {
  test('is a message with the usage of all calls, and what became of each', async () => {
    const { post, engine } = await start()
    const response = await post(question)
    expect(response.headers.get('request-id')).toBe(response.headers.get('x-request-id'))
    const message = await response.json()
    expect(message).toMatchObject({
      id: expect.stringMatching(/^msg_/),
      type: 'message',
      role: 'assistant',
      model: 'aft-fast',
      content: [{ type: 'text', text: 'Blue light scatters most.' }],
      stop_reason: 'end_turn',
      stop_sequence: null,
      usage: { cache_creation_input_tokens: 0, cache_read_input_tokens: expect.any(Number) },
      aft: { strategy: 'aft', degraded: false, layers: [{}, {}] },
    })
    type Calls = { aft: { usage: { inputTokens: number; outputTokens: number } } }
    const { aft, usage } = message as Calls & { usage: Record<string, number> }
    expect(usage.output_tokens).toBe(aft.usage.outputTokens)
    const { input_tokens: fresh = 0, cache_read_input_tokens: cached = 0 } = usage
    expect(fresh + cached).toBe(aft.usage.inputTokens)
    expect(engine.requests.map((request) => request.n)).toEqual([3, 1])
  })

  test('streams as typed events in their order', async () => {
    const { stream } = await start()
    const events = await stream(question)
    expect(events.map(({ type }) => type)).toEqual([
      'message_start',
      'content_block_start',
      ...Array.from({ length: 4 }, () => 'content_block_delta'),
      'content_block_stop',
      'message_delta',
      'message_stop',
    ])
    expect(events.at(-2)).toMatchObject({
      delta: { stop_reason: 'end_turn' },
      usage: { input_tokens: expect.any(Number), output_tokens: expect.any(Number) },
      aft: { layers: [{}, {}] },
    })
  })

  test.each([
    ['length', 'max_tokens'],
    ['content-filter', 'refusal'],
  ] as const)('that ended by %s has the stop reason %s', async (finishReason, reason) => {
    const { post } = await start([{ replies: [{ text: 'Half', finishReason }] }])
    expect(await (await post({ ...question, model: 'single' })).json()).toMatchObject({ stop_reason: reason })
  })

  test('has its thinking as a block, if the client asks for thinking', async () => {
    const { post, stream, engine } = await start([{ replies: [{ text: 'Blue.', reasoning: 'Let me see.' }] }])
    const body = { ...question, model: 'single' }
    const texts = { content: [{ type: 'text', text: 'Blue.' }] }
    expect(await (await post(body)).json()).toMatchObject(texts)
    const thinking = { ...body, thinking: { type: 'enabled', budget_tokens: 8_000 } }
    expect(await (await post(thinking)).json()).toMatchObject({
      content: [{ type: 'thinking', thinking: 'Let me see.', signature: 'aft' }, ...texts.content],
    })
    await post({ ...body, thinking: { type: 'disabled' } })
    expect(engine.requests.map(({ sampling }) => sampling.reasoning)).toEqual([undefined, 'medium', 'none'])
    const events = await stream(thinking)
    expect(events.filter((e) => e.type === 'content_block_start').map((e) => e.content_block)).toMatchObject([
      { type: 'thinking', thinking: '', signature: '' },
      { type: 'text', text: '' },
    ])
    expect(JSON.stringify(events)).toContain('{"type":"signature_delta","signature":"aft"}')
  })
})

describe('tools', () => {
  const body = { ...question, model: 'single', tools }
  const blocks = [
    { type: 'text', text: 'I look.' },
    { type: 'tool_use', id: 'call_1', name: 'look', input: { at: 'sky' } },
    { type: 'tool_use', id: 'call_2', name: 'wait', input: { s: 1 } },
  ]

  test('are called, whole and streamed', async () => {
    const { post, stream, engine } = await start([
      { replies: [{ text: 'I look.', toolCalls: [call, wait] }] },
    ])
    expect(await (await post(body)).json()).toMatchObject({ content: blocks, stop_reason: 'tool_use' })
    expect(engine.requests[0]?.tools).toEqual([
      { type: 'function', function: { name: 'look', description: 'Looks.', parameters: { type: 'object' } } },
      { type: 'function', function: { name: 'wait', parameters: { type: 'object' } } },
    ])
    const events = await stream(body)
    const json = new Map<unknown, string>()
    for (const { index, delta } of events as { index?: number; delta?: { partial_json?: string } }[]) {
      if (delta?.partial_json) json.set(index, (json.get(index) ?? '') + delta.partial_json)
    }
    expect([...json]).toEqual([
      [1, '{"at":"sky"}'],
      [2, '{"s":1}'],
    ])
  })

  test.each([
    [{ type: 'any' }, 'required', undefined],
    [
      { type: 'tool', name: 'look', disable_parallel_tool_use: true },
      { type: 'function', function: { name: 'look' } },
      false,
    ],
    [{ type: 'none' }, 'none', undefined],
  ])('are chosen by %j', async (tool_choice, expected, parallel) => {
    const { post, engine } = await start()
    await post({ ...body, tool_choice })
    expect(engine.requests[0]).toMatchObject({ toolChoice: expected })
    expect(engine.requests[0]?.parallelToolCalls).toBe(parallel)
  })

  test('give results, of which images follow in the user’s turn', async () => {
    const { post, engine } = await start()
    const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } }
    const url = 'data:image/png;base64,AAAA'
    const turns = [
      { role: 'user', content: [{ type: 'text', text: 'Look.', cache_control: { type: 'ephemeral' } }] },
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'Hm.', signature: 'aft' },
          { type: 'text', text: 'I look.' },
          { type: 'tool_use', id: 'call_1', name: 'look', input: { at: null } },
          { type: 'tool_use', id: 'call_2', name: 'wait', input: {} },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'call_1', content: [{ type: 'text', text: 'Seen.' }, image] },
          { type: 'tool_result', tool_use_id: 'call_2', content: 'too long', is_error: true },
          { type: 'text', text: 'And?' },
        ],
      },
    ]
    const system = [
      { type: 'text', text: 'Be brief.' },
      { type: 'text', text: 'Be kind.' },
    ]
    await post({ ...body, system, messages: turns })
    expect(engine.requests[0]?.messages).toEqual([
      { role: 'system', content: 'Be brief.\n\nBe kind.' },
      { role: 'user', content: 'Look.' },
      {
        role: 'assistant',
        content: 'I look.',
        tool_calls: [
          { ...call, function: { name: 'look', arguments: '{"at":null}' } },
          { ...wait, function: { name: 'wait', arguments: '{}' } },
        ],
      },
      { role: 'tool', tool_call_id: 'call_1', content: 'Seen.' },
      { role: 'tool', tool_call_id: 'call_2', content: 'Error: too long' },
      {
        role: 'user',
        content: [
          { type: 'image_url', image_url: { url } },
          { type: 'text', text: 'And?' },
        ],
      },
    ])
  })

  test('that are called with what is no object are an error', async () => {
    const wrong = { ...call, function: { name: 'look', arguments: '{"at":' } }
    const { post, stream } = await start([{ replies: [{ toolCalls: [wrong] }] }])
    const response = await post(body)
    expect([response.status, await response.json()]).toMatchObject([
      502,
      { error: { message: expect.stringContaining('not a JSON object') } },
    ])
    expect((await stream(body)).at(-1)).toMatchObject({ type: 'error', error: { type: 'api_error' } })
  })
})

test('documents, formats, limits and sampling are passed on', async () => {
  const { post, engine } = await start([{ replies: ['{}'] }])
  const pdf = { type: 'base64', media_type: 'application/pdf', data: 'JVBE' }
  const content = [
    { type: 'document', source: pdf, title: 'a.pdf' },
    { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'Text.' }, title: null },
    { type: 'search_result', title: 'T', source: 'S', content: [{ type: 'text', text: 'Found.' }] },
    { type: 'image', source: { type: 'url', url: 'https://pictures.example/a.png' } },
  ]
  const schema = { type: 'object', properties: { city: { enum: ['Paris', null] } } }
  const response = await post({
    model: 'single',
    max_tokens: 9,
    messages: [{ role: 'user', content }],
    temperature: 0.2,
    top_p: 0.5,
    top_k: 7,
    stop_sequences: ['END'],
    output_config: { effort: 'max', format: { type: 'json_schema', schema } },
    metadata: { user_id: 'u' },
    something: 1,
  })
  expect(response.headers.get('x-aft-ignored')).toBe('something')
  expect(engine.requests[0]).toMatchObject({
    sampling: { maxTokens: 9, temperature: 0.2, topP: 0.5, topK: 7, reasoning: 'max' },
    stop: ['END'],
    responseFormat: { type: 'json_schema', json_schema: { schema } },
  })
  expect(engine.requests[0]?.messages.at(-1)?.content).toEqual([
    { type: 'file', file: { file_data: 'data:application/pdf;base64,JVBE', filename: 'a.pdf' } },
    { type: 'text', text: 'Text.' },
    { type: 'text', text: 'T\nS' },
    { type: 'text', text: 'Found.' },
    { type: 'image_url', image_url: { url: 'https://pictures.example/a.png' } },
  ])
})

describe('an error', () => {
  test.each([
    ['messages', { messages: [] }],
    ['messages.0.role', { messages: [{ role: 'king', content: 'x' }] }],
    ['messages.0.content.0.type', { messages: [{ role: 'user', content: [{ type: 'video' }] }] }],
    [
      'messages.0.content.0.type',
      { messages: [{ role: 'assistant', content: [{ type: 'server_tool_use' }] }] },
    ],
    [
      'messages.0.content.0.source.type',
      { messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'file', file_id: 'f' } }] }] },
    ],
    ['tools.0.type', { tools: [{ type: 'web_search_20250305', name: 'web_search' }] }],
    ['tool_choice', { tools, tool_choice: { type: 'tool', name: 'fly' } }],
    ['mcp_servers', { mcp_servers: [{ url: 'https://x.example' }] }],
    ['aft.width', { aft: { width: 10_000 } }],
  ])('for a wrong %s is in the form that clients read', async (param, more) => {
    const { post, engine } = await start()
    const response = await post({ ...question, ...more })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({
      type: 'error',
      error: { type: 'invalid_request_error', param, message: expect.any(String) },
    })
    expect(engine.requests).toEqual([])
  })

  test.each([
    ['rate-limit', 429, 'rate_limit_error', /slow down/],
    ['timeout', 504, 'timeout_error', /slow down/],
    ['server', 502, 'api_error', /slow down/],
    ['context-overflow', 400, 'invalid_request_error', /^prompt is too long: /],
  ] as const)('of an engine of kind %s is a %i, whole and streamed', async (kind, status, type, message) => {
    const { post, stream } = await start([{ replies: [{ error: { kind, message: 'slow down' } }] }])
    const response = await post(question)
    const error = { type, message: expect.stringMatching(message) }
    expect([response.status, await response.json()]).toMatchObject([status, { type: 'error', error }])
    expect((await stream(question)).at(-1)).toMatchObject({ type: 'error', error: { ...error, status } })
  })

  test('for an unknown model is a not_found_error', async () => {
    const { post } = await start()
    const response = await post({ ...question, model: 'claude' })
    expect([response.status, await response.json()]).toMatchObject([
      404,
      { error: { type: 'not_found_error' } },
    ])
  })
})

test('the key may be in x-api-key', async () => {
  const { post } = await start(rules, { keys: { me: 'sk-of-mine' } })
  const missing = await post(question)
  expect([missing.status, await missing.json()]).toMatchObject([
    401,
    { error: { type: 'authentication_error' } },
  ])
  expect((await post(question, { 'x-api-key': 'sk-of-another' })).status).toBe(401)
  expect((await post(question, { 'x-api-key': 'sk-of-mine' })).status).toBe(200)
  expect((await post(question, { authorization: 'Bearer sk-of-mine' })).status).toBe(200)
})

describe('tokens', () => {
  const count = '/v1/messages/count_tokens'

  test('are counted by the engine, those of tools too', async () => {
    const { post, engine } = await start()
    const body = { model: 'aft-fast', messages: question.messages, system: 'Be brief.' }
    const bare = (await (await post(body, {}, count)).json()) as { input_tokens: number }
    expect(bare).toEqual({ input_tokens: 7 })
    const more = (await (await post({ ...body, tools }, {}, count)).json()) as { input_tokens: number }
    expect(more.input_tokens).toBeGreaterThan(7)
    expect(engine.requests).toEqual([])
  })

  test('are not counted where the engine cannot', async () => {
    const { countTokens, ...engine } = scriptedEngine(rules)
    const { url } = await startServer(engine)
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(url + count, { method: 'POST', headers, body: JSON.stringify(question) })
    expect([response.status, await response.json()]).toMatchObject([
      404,
      { error: { type: 'not_found_error' } },
    ])
  })
})
