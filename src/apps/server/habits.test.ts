/** What clients send that no document asks for, and what they cannot stand. */
import { describe, expect, onTestFinished, test } from 'vitest'
import { startChatServer } from '../../../test/chat-server.ts'
import type { CompletionRequest, Message } from '../../core/provider/engine.ts'
import { delta, finish, startFixture } from '../../engines/openai/openai.fixture.ts'
import { openOpenAI } from '../../engines/openai/openai.ts'
import { echo, scriptedEngine } from '../../engines/scripted/scripted.ts'
import { readEvents, startServer, user } from './server.fixture.ts'

const question = { model: 'single', messages: user('Hi') }
const send = (url: string, body: object) =>
  fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })

describe('null counts as absent', () => {
  const call = {
    id: 'c1',
    type: 'function',
    function: { name: 'look', arguments: '{"at":null}', parsed_arguments: null },
  }
  const messages = [
    { role: 'user', content: [{ type: 'text', text: 'Hi', cache_control: null }], name: null },
    {
      role: 'assistant',
      content: 'Hello',
      refusal: null,
      audio: null,
      function_call: null,
      tool_calls: null,
    },
    { role: 'assistant', content: null, tool_calls: [call] },
    { role: 'tool', content: 'Blue.', tool_call_id: 'c1', name: null },
    { role: 'user', content: 'More' },
  ]

  test('in every field of a chat, but not in data', async () => {
    const engine = scriptedEngine(echo)
    const { post } = await startServer(engine)
    const parameters = { type: 'object', properties: { at: { enum: ['sky', null], default: null } } }
    const tools = [
      { type: 'function', function: { name: 'look', description: null, parameters, strict: null } },
      { type: 'function', function: { name: 'wait', parameters: null } },
    ]
    const nulls = { n: null, stop: null, seed: null, response_format: null, stream_options: null, user: null }
    const body = { ...question, messages, tools, ...nulls, aft: { width: null, enabled: false } }
    expect((await post(body)).status).toBe(200)
    expect((await post({ ...question, aft: null, stream_options: { include_usage: null } })).status).toBe(200)
    expect(engine.requests[0]?.tools).toEqual([
      { type: 'function', function: { name: 'look', parameters } },
      { type: 'function', function: { name: 'wait' } },
    ])
    expect(engine.requests[0]?.messages.slice(-5)).toEqual([
      { role: 'user', content: [{ type: 'text', text: 'Hi' }] },
      { role: 'assistant', content: 'Hello' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ ...call, function: { name: 'look', arguments: '{"at":null}' } }],
      },
      { role: 'tool', content: 'Blue.', tool_call_id: 'c1' },
      { role: 'user', content: 'More' },
    ])
  })

  test('in every field of a response', async () => {
    const { url } = await startServer(scriptedEngine(echo))
    const input = [{ type: 'message', role: 'user', content: 'Hi', id: null, status: null }]
    const nulls = { instructions: null, text: { format: null, verbosity: null }, tools: null, aft: null }
    const response = await send(`${url}/v1/responses`, { model: 'single', input, ...nulls })
    expect(response.status).toBe(200)
  })

  test('and is missing where a field is needed', async () => {
    const { post } = await startServer(scriptedEngine(echo))
    const response = await post({ ...question, messages: [{ role: 'user', content: null }] })
    expect(await response.json()).toMatchObject({ error: { param: 'messages.0.content' } })
  })
})

describe('a limit of tokens', () => {
  const limits = { maxTokens: 100 }
  test.each([
    ['max_tokens', -1, undefined, 'max_tokens: -1 counts as absent'],
    ['max_tokens', 0, undefined, 'max_tokens: 0 counts as absent'],
    ['max_tokens', 64_000, 100, 'max_tokens: 64000 counts as 100, the most that this server allows'],
    [
      'max_completion_tokens',
      101,
      100,
      'max_completion_tokens: 101 counts as 100, the most that this server allows',
    ],
  ])('%s %i is taken as what it means, with a warning', async (name, given, taken, warning) => {
    const engine = scriptedEngine(echo)
    const { post } = await startServer(engine, { limits })
    await post(question)
    const response = await post({ ...question, [name]: given })
    expect(response.status).toBe(200)
    expect(response.headers.get('x-aft-warning')).toBe(warning)
    expect(await response.json()).toMatchObject({ aft: { warnings: [warning] } })
    const [bare, asked] = engine.requests.map(({ sampling }) => sampling.maxTokens)
    expect(asked).toBe(taken ?? bare)
  })

  test('of a response and of a stream says it too', async () => {
    const { url, post } = await startServer(scriptedEngine(echo), { limits })
    const warning = 'max_output_tokens: 500 counts as 100, the most that this server allows'
    const body = { model: 'single', input: 'Hi', max_output_tokens: 500 }
    expect(await (await send(`${url}/v1/responses`, body)).json()).toMatchObject({
      aft: { warnings: [warning] },
    })
    const response = await post({ ...question, max_tokens: -1, stream: true })
    expect(response.headers.get('x-aft-warning')).toContain('-1 counts as absent')
    const events = (await readEvents(response)) as { aft?: { warnings?: string[] } }[]
    expect(events.at(-2)?.aft?.warnings).toEqual(['max_tokens: -1 counts as absent'])
  })

  test('within the bounds is taken without a word', async () => {
    const { post } = await startServer(scriptedEngine(echo), { limits })
    const response = await post({ ...question, max_tokens: 100 })
    expect(response.headers.has('x-aft-warning')).toBe(false)
    expect(((await response.json()) as { aft: object }).aft).not.toHaveProperty('warnings')
  })
})

test.each(['/chat/completions', '//v1/chat/completions', '/v1/chat/completions/', '/v1/v1/chat/completions'])(
  'the address %s is answered too',
  async (path) => {
    const { url } = await startServer(scriptedEngine(echo), { keys: { me: 'sk-of-mine' } })
    const headers = { 'content-type': 'application/json', authorization: 'Bearer sk-of-mine' }
    const init = { method: 'POST', headers, body: JSON.stringify(question) }
    expect((await fetch(url + path, init)).status).toBe(200)
    expect(
      (await fetch(url + path, { ...init, headers: { 'content-type': 'application/json' } })).status,
    ).toBe(401)
  },
)

test.each(['/models', '/models/single', '/v1/models/'])('%s lists models', async (path) => {
  const { url } = await startServer(scriptedEngine(echo))
  expect((await fetch(url + path)).status).toBe(200)
})

describe('the delay that an upstream server asks for', () => {
  /** A server that always asks to wait, far longer than anybody here would. */
  async function startBusy(status: number, headers: Record<string, string>) {
    const upstream = await startChatServer(scriptedEngine(echo), (response) => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers })
      return Boolean(response.end('{"error":{"message":"slow down"}}'))
    })
    onTestFinished(() => upstream.close())
    return startServer(openOpenAI({ baseURL: upstream.baseURL, model: 'm', maxRetries: 0 }))
  }

  test.each([
    [429, { 'retry-after': '1200' }, 429, '1200'],
    [429, { 'retry-after': '7' }, 429, '7'],
    [429, { 'retry-after-ms': '2500' }, 429, '3'],
    [503, { 'retry-after': '30' }, 503, '30'],
    [429, { 'x-ratelimit-reset-tokens': '6s' }, 429, '6'],
    [429, {}, 429, '5'],
    [503, {}, 502, null],
  ])('with %i and %j is passed on', async (status, headers, answered, expected) => {
    const { post } = await startBusy(status, headers as Record<string, string>)
    for (const model of ['single', 'aft-fast']) {
      const response = await post({ ...question, model })
      expect([response.status, response.headers.get('retry-after')]).toEqual([answered, expected])
    }
    const events = await readEvents(await post({ ...question, stream: true }))
    const delay = expected === null ? undefined : Number(expected)
    expect((events.at(-1) as { error: { retry_after?: number } }).error.retry_after).toBe(delay)
  })
})

describe('fields that change an answer reach the engines', () => {
  const tools = [{ type: 'function', function: { name: 'look' } }]
  const passed = {
    user: 'me',
    prompt_cache_key: 'k',
    service_tier: 'flex',
    verbosity: 'low',
    metadata: { trace: 't' },
  }

  test('of a chat: effort and the like every engine, parallel calls the one with the tools', async () => {
    const engine = scriptedEngine(echo)
    const { post } = await startServer(engine)
    const template = { chat_template_kwargs: { thinking: null } }
    const more = {
      reasoning_effort: 'low',
      parallel_tool_calls: false,
      top_k: 5,
      min_p: 0.1,
      logit_bias: { 1: 2 },
      store: false,
    }
    const response = await post({ ...question, model: 'aft-fast', tools, ...passed, ...template, ...more })
    expect([response.status, response.headers.get('x-aft-ignored')]).toEqual([200, null])
    expect(engine.requests.map((r) => r.sampling)).toMatchObject([
      { reasoning: 'low', topK: 5, minP: 0.1 },
      { reasoning: 'low', topK: 5, minP: 0.1 },
    ])
    const sent = { ...passed, ...template, logit_bias: { 1: 2 } }
    expect(engine.requests.map((r) => r.passed)).toEqual([sent, sent])
    expect(engine.requests.map((r) => r.parallelToolCalls)).toEqual([undefined, false])
  })

  test('of a chat: `store` only if it is true', async () => {
    const engine = scriptedEngine(echo)
    const { post } = await startServer(engine)
    for (const store of [true, false, null]) await post({ ...question, model: 'single', store })
    expect(engine.requests.map((r) => r.passed)).toEqual([{ store: true }, undefined, undefined])
  })

  test('of a message: the id of the user', async () => {
    const engine = scriptedEngine(echo)
    const { url } = await startServer(engine)
    const body = { model: 'single', max_tokens: 9, messages: user('Hi'), metadata: { user_id: 'u' } }
    const response = await send(`${url}/v1/messages`, body)
    expect([response.status, response.headers.get('x-aft-ignored')]).toEqual([200, null])
    expect(engine.requests[0]?.passed).toEqual({ user: 'u' })
  })

  test('of a response, under their names of a chat', async () => {
    const engine = scriptedEngine(echo)
    const { url } = await startServer(engine)
    const { verbosity, ...same } = passed
    const body = {
      ...same,
      model: 'single',
      input: 'Hi',
      tools: [{ type: 'function', name: 'look' }],
      parallel_tool_calls: false,
      reasoning: { effort: 'high', summary: 'auto' },
      text: { verbosity },
    }
    const response = await send(`${url}/v1/responses`, body)
    expect([response.status, response.headers.get('x-aft-ignored')]).toEqual([200, null])
    expect(await response.json()).toMatchObject({ parallel_tool_calls: false, reasoning: { effort: 'high' } })
    expect(engine.requests[0]).toMatchObject({
      passed,
      parallelToolCalls: false,
      sampling: { reasoning: 'high' },
    })
  })

  test('and the server behind', async () => {
    const upstream = await startChatServer(scriptedEngine(echo))
    onTestFinished(() => upstream.close())
    const { post } = await startServer(openOpenAI({ baseURL: upstream.baseURL, model: 'm' }))
    const more = { reasoning_effort: 'low', parallel_tool_calls: false }
    await post({ ...question, model: 'aft-fast', tools, ...passed, ...more })
    expect(upstream.bodies.map(({ parallel_tool_calls }) => parallel_tool_calls).at(-1)).toBe(false)
    expect(upstream.bodies[0]).not.toHaveProperty('parallel_tool_calls')
    for (const body of upstream.bodies)
      expect(body).toMatchObject({ ...passed, reasoning_effort: 'low', model: 'm' })
  })
})

test('what a server adds to a call for itself reaches the client, and comes back with the call', async () => {
  const extra_content = { google: { thought_signature: 'c2lnbmVk' } }
  const called = { type: 'function', function: { name: 'look', arguments: '{}' }, extra_content }
  const upstream = await startFixture((asked) => {
    asked.send(delta(0, { tool_calls: [{ index: 0, id: 'a', ...called }] }), finish(0, 'tool_calls'))
    asked.done()
  })
  onTestFinished(() => upstream.close())
  const { post } = await startServer(openOpenAI({ baseURL: upstream.baseURL, model: 'm', env: {} }))
  const tools = [{ type: 'function', function: { name: 'look' } }]
  const answer = (await (await post({ ...question, tools })).json()) as { choices: [{ message: Message }] }
  const [{ message }] = answer.choices
  expect(message.tool_calls).toEqual([{ id: 'a', ...called }])
  const events = await readEvents(await post({ ...question, tools, stream: true }))
  expect(JSON.stringify(events)).toContain('"extra_content":{"google":{"thought_signature":"c2lnbmVk"}}')
  const result = { role: 'tool', tool_call_id: 'a', content: 'nothing' }
  await post({ ...question, messages: [...question.messages, message, result], tools })
  const sent = upstream.asked.at(-1)?.body.messages.find(({ role }) => role === 'assistant')
  expect(sent?.tool_calls).toEqual([{ id: 'a', ...called }])
})

describe('other forms of a request mean what the usual one means', () => {
  const tool = { type: 'function', function: { name: 'look' } }
  const called = (call: object, content: unknown = 'x') => ({
    tools: [tool],
    messages: [
      ...user('Hi'),
      { role: 'assistant', content: null, tool_calls: [{ id: 'a', ...call }] },
      { role: 'tool', tool_call_id: 'a', content },
    ],
  })
  const usualCall = { id: 'a', type: 'function', function: { name: 'look', arguments: '{}' } }
  const turn =
    (i: number) =>
    ({ request }: { request: CompletionRequest }) =>
      request.messages.slice(-3)[i]
  type Look = (of: { request: CompletionRequest }) => unknown
  test.each<[string, object, Look, unknown]>([
    ['no functions', { functions: [], function_call: 'none' }, ({ request }) => request.tools, undefined],
    ['any tool', { tools: [tool], tool_choice: 'any' }, ({ request }) => request.toolChoice, 'required'],
    [
      'a tool by its name',
      { tools: [tool], tool_choice: { type: 'tool', name: 'look' } },
      ({ request }) => request.toolChoice,
      { type: 'function', function: { name: 'look' } },
    ],
    [
      'allowed tools',
      {
        tools: [tool],
        tool_choice: { type: 'allowed_tools', allowed_tools: { mode: 'required', tools: [tool] } },
      },
      ({ request }) => request.toolChoice,
      'required',
    ],
    [
      'a tool without a type',
      { tools: [{ function: { name: 'look' } }] },
      ({ request }) => request.tools,
      [tool],
    ],
    ['top_k -1', { top_k: -1 }, ({ request }) => request.sampling.topK, undefined],
    ['no effort', { reasoning_effort: 'default' }, ({ request }) => request.sampling.reasoning, undefined],
    [
      'arguments as an object',
      called({ function: { name: 'look', arguments: {} } }),
      turn(1),
      { role: 'assistant', content: null, tool_calls: [usualCall] },
    ],
    [
      'no arguments',
      called({ function: { name: 'look', arguments: null } }),
      turn(1),
      { role: 'assistant', content: null, tool_calls: [usualCall] },
    ],
    ['no result', called(usualCall, null), turn(2), { role: 'tool', tool_call_id: 'a', content: '' }],
    [
      'no calls, and text by its other name',
      {
        messages: [
          { role: 'assistant', content: 'Ho', tool_calls: [] },
          { role: 'user', name: '', content: [{ type: 'input_text', text: 'Hi' }] },
        ],
      },
      ({ request }) => request.messages.slice(-2),
      [
        { role: 'assistant', content: 'Ho' },
        { role: 'user', content: [{ type: 'text', text: 'Hi' }] },
      ],
    ],
  ])('%s', async (_, more, look, expected) => {
    const engine = scriptedEngine(echo)
    const { post } = await startServer(engine)
    const response = await post({ ...question, ...more })
    expect([response.status, await response.text()]).toEqual([200, expect.any(String)])
    expect(look({ request: engine.requests[0] as CompletionRequest })).toEqual(expected)
  })
})
