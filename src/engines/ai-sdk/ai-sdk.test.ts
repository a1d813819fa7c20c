import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { afterEach, expect, test } from 'vitest'
import { type ChatServer, choice, type Fault, send, startChatServer } from '../../../test/chat-server.ts'
import type { CompletionRequest, Engine, EngineEvent } from '../../core/provider/engine.ts'
import { echo, type Script, scriptedEngine } from '../scripted/scripted.ts'
import { type AiSdkOptions, fromAiSdk } from './ai-sdk.ts'

const servers: ChatServer[] = []
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()))
})

/** A real provider's model and the server behind it, which follows a script but for its faults. */
async function serve(script: Script, fault?: Fault, options?: AiSdkOptions) {
  const server = await startChatServer(scriptedEngine(script, { delayMs: 1 }), fault)
  servers.push(server)
  const { baseURL } = server
  const provider = createOpenAICompatible({
    name: 'local',
    baseURL,
    apiKey: 'sk-secretsecret',
    includeUsage: true,
    supportsStructuredOutputs: true,
  })
  return { server, engine: fromAiSdk(provider('llama'), options) }
}

function ask(more: Partial<CompletionRequest> = {}): CompletionRequest {
  const n = more.n ?? 1
  const seeds = Array.from({ length: n }, (_, i) => 100 + i)
  const messages = [{ role: 'user' as const, content: 'hello there' }]
  return { messages, n, seeds, sampling: { maxTokens: 50 }, ...more }
}

async function run(engine: Engine, request = ask()): Promise<EngineEvent[]> {
  const events: EngineEvent[] = []
  for await (const event of engine.generate(request)) events.push(event)
  return events
}

const lastOf = async (engine: Engine, request?: CompletionRequest) => (await run(engine, request)).at(-1)

test('each completion is a request of its own with its own seed, and usage says so', async () => {
  const { server, engine } = await serve(echo)
  const ends = (await run(engine, ask({ n: 3 }))).filter((e) => e.type === 'completion-end')
  expect(server.bodies.map((body) => body.seed).sort()).toEqual([100, 101, 102])
  for (const { usage } of ends) {
    expect(usage).toMatchObject({ calls: 1, sharedBy: 1, inputTokens: 2, prefilledTokens: 2 })
  }
})

test.each([
  ['claude-sonnet-4-5', ['user']],
  ['llama', ['system', 'user']],
])('%s: a system message without text goes only to models that take it', async (model, roles) => {
  const server = await startChatServer(scriptedEngine(echo))
  servers.push(server)
  const engine = fromAiSdk(createOpenAICompatible({ name: 'gate', baseURL: server.baseURL })(model))
  const messages = [
    { role: 'system' as const, content: '\n' },
    { role: 'user' as const, content: 'hello there' },
  ]
  await run(engine, ask({ messages }))
  expect(server.bodies[0]?.messages.map(({ role }) => role)).toEqual(roles)
})

test('settings reach the wire', async () => {
  const { server, engine } = await serve(() => 'ok')
  const sampling = {
    maxTokens: 9,
    temperature: 0.3,
    topP: 0.8,
    frequencyPenalty: 0.1,
    presencePenalty: 0.2,
  }
  const schema = { type: 'object', properties: { a: { type: 'string' } } }
  await run(
    engine,
    ask({
      sampling,
      stop: ['END'],
      responseFormat: { type: 'json_schema', json_schema: { name: 'answer', schema } },
    }),
  )
  const wire = { max_tokens: 9, temperature: 0.3, top_p: 0.8, frequency_penalty: 0.1, presence_penalty: 0.2 }
  expect(server.bodies[0]).toMatchObject({ ...wire, stop: ['END'], model: 'llama' })
  expect(server.bodies[0]?.response_format).toEqual({
    type: 'json_schema',
    json_schema: { name: 'answer', schema, strict: true },
  })
})

test('a conversation with images, tool calls and tool results reaches the wire as it was', async () => {
  const { server, engine } = await serve(() => 'ok')
  const call = { id: 'c1', type: 'function' as const, function: { name: 'look', arguments: '{"at":"sky"}' } }
  const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } }
  const messages: CompletionRequest['messages'] = [
    { role: 'system', content: 'be brief' },
    { role: 'user', content: [{ type: 'text', text: 'what is this?' }, image] },
    { role: 'assistant', content: null, tool_calls: [call] },
    { role: 'tool', tool_call_id: 'c1', content: 'blue' },
    { role: 'assistant', content: 'it is blue', reasoning_content: 'the tool said so' },
    { role: 'user', content: 'sure?' },
  ]
  const parameters = { type: 'object', properties: { at: { type: 'string' } } }
  const tools = [{ type: 'function' as const, function: { name: 'look', description: 'looks', parameters } }]
  const toolChoice = { type: 'function' as const, function: { name: 'look' } }
  await run(engine, ask({ messages, tools, toolChoice }))
  expect(server.bodies[0]?.messages).toEqual(messages)
  expect(server.bodies[0]).toMatchObject({ tools, tool_choice: toolChoice })
})

test('reasoning and tool calls stream apart from the text', async () => {
  const call = { id: 'c1', type: 'function' as const, function: { name: 'look', arguments: '{"at": "sky"}' } }
  const { engine } = await serve(() => ({ reasoning: 'hm well', text: 'I look', toolCalls: [call] }))
  const events = await run(engine)
  expect(events.filter((e) => e.type === 'reasoning-delta').map((e) => e.text)).toEqual(['hm', ' well'])
  expect(events.filter((e) => e.type === 'tool-call-delta')[0]).toMatchObject({
    delta: { id: 'c1', name: 'look' },
  })
  expect(events.at(-1)).toMatchObject({
    text: 'I look',
    reasoning: 'hm well',
    toolCalls: [call],
    finishReason: 'tool-calls',
  })
})

test('reasoning that a server leaves in the text is kept out of it', async () => {
  const { engine } = await serve(() => ({ deltas: ['so it', ' is </thi', 'nk>the answer'] }))
  const events = await run(engine)
  expect(events.at(-1)).toMatchObject({ text: 'the answer', reasoning: 'so it is ' })
  expect(events.filter((e) => e.type === 'completion-restarted')).toHaveLength(1)
})

/** Answers the first so many requests with a status. */
const refuse =
  (times: number, status: number, headers = {}): Fault =>
  (response, _, request) => {
    if (request > times) return false
    const error = { message: `no, key sk-secretsecret, attempt ${request}` }
    response
      .writeHead(status, { 'content-type': 'application/json', ...headers })
      .end(JSON.stringify({ error }))
    return true
  }

test('a failure that may pass is tried again, after the delay that the server asks for', async () => {
  const { server, engine } = await serve(() => 'ok', refuse(2, 503, { 'retry-after-ms': '1' }))
  const events = await run(engine)
  expect(events.slice(0, 2)).toMatchObject([
    { type: 'completion-waiting', attempt: 2, kind: 'server', reason: expect.stringMatching(/^503: no/) },
    { type: 'completion-waiting', attempt: 3, kind: 'server' },
  ])
  expect(events.at(-1)).toMatchObject({ type: 'completion-end', text: 'ok', usage: { calls: 3 } })
  expect(server.bodies).toHaveLength(3)
})

test('after the last attempt the completion fails, and shows no key', async () => {
  const { engine } = await serve(() => 'ok', refuse(9, 429, { 'retry-after-ms': '1' }), { maxRetries: 2 })
  const event = await lastOf(engine)
  expect(event).toMatchObject({ type: 'completion-failed', usage: { calls: 3 } })
  expect(event).toMatchObject({ error: { kind: 'rate-limit', status: 429 } })
  expect((event as { error: Error }).error.message).toBe('429: no, key [hidden], attempt 3')
})

test('a provider that wants to be left alone for an hour is not waited for', async () => {
  const { server, engine } = await serve(() => 'ok', refuse(9, 429, { 'retry-after': '3600' }))
  expect(await lastOf(engine)).toMatchObject({ type: 'completion-failed', error: { kind: 'rate-limit' } })
  expect(server.bodies).toHaveLength(1)
})

test.each([
  [401, 'auth'],
  [404, 'not-found'],
  [422, 'refused'],
])('status %i fails at once as %s', async (status, kind) => {
  const { server, engine } = await serve(() => 'ok', refuse(9, status))
  expect(await lastOf(engine)).toMatchObject({ type: 'completion-failed', error: { kind, status } })
  expect(server.bodies).toHaveLength(1)
})

test('a stream that ends in the middle is no answer: it is made again', async () => {
  const breakOnce: Fault = (response, _, request) => {
    if (request > 1) return false
    send(response, choice({ content: 'half a' })).then(() => response.end('data: [DONE]\n\n'))
    return true
  }
  const { engine } = await serve(() => 'whole', breakOnce)
  const types = (await run(engine)).map((e) => e.type)
  expect(types).toEqual([
    'completion-delta',
    'completion-restarted',
    'completion-waiting',
    'completion-delta',
    'completion-end',
  ])
})

test('a connection that breaks, and one that cannot be made, are unreachable', async () => {
  const breakAlways: Fault = (response) => {
    send(response, choice({ content: 'half' })).then(() => response.destroy())
    return true
  }
  const { server, engine } = await serve(() => 'ok', breakAlways, { maxRetries: 0 })
  expect(await lastOf(engine)).toMatchObject({ type: 'completion-failed', error: { kind: 'unreachable' } })
  await server.close()
  expect(await lastOf(engine)).toMatchObject({ error: { kind: 'unreachable', message: /ECONNREFUSED/ } })
})

test('an error in the stream is the failure, not the text before it', async () => {
  const fault: Fault = (response) => {
    send(response, choice({ content: 'half' }))
      .then(() => send(response, { error: { message: 'out of memory', code: 500 } }))
      .then(() => response.end())
    return true
  }
  const { engine } = await serve(() => 'ok', fault, { maxRetries: 0 })
  expect(await lastOf(engine)).toMatchObject({ error: { message: expect.stringContaining('out of memory') } })
})

test('a provider that falls silent is a timeout', async () => {
  const fault: Fault = (response) => {
    void send(response, choice({ content: 'half' }))
    return true
  }
  const { engine } = await serve(() => 'ok', fault, { maxRetries: 0, timeoutMs: 50 })
  expect(await lastOf(engine)).toMatchObject({ error: { kind: 'timeout', isRetryable: true } })
})

test('an abort closes the connections', async () => {
  const { server, engine } = await serve(() => ({ text: 'on and on', delayMs: 200 }))
  const caller = new AbortController()
  const request = ask({ n: 3, signal: caller.signal })
  for await (const event of engine.generate(request)) if (event.type === 'completion-delta') caller.abort()
  await expect.poll(() => server.open()).toBe(0)
})

test('no more completions are in flight than allowed, over all requests', async () => {
  let most = 0
  const { server, engine } = await serve(
    async () => {
      most = Math.max(most, server.open())
      return 'one two three'
    },
    undefined,
    { concurrency: 2 },
  )
  await Promise.all([run(engine, ask({ n: 3 })), run(engine, ask({ n: 3 }))])
  expect(server.bodies).toHaveLength(6)
  expect(most).toBe(2)
})
