/** Loops of tool calls over HTTP, where each step is a request with the whole conversation. */
import type { OpenAI } from 'openai'
import { expect, test } from 'vitest'
import { type Message, textOf } from '../../core/provider/engine.ts'
import { type ScriptedEngine, scriptedEngine } from '../../engines/scripted/scripted.ts'
import { type Started, startServer } from './server.fixture.ts'

let calls = 0

/** Calls a tool until it has three results. */
function looping(): ScriptedEngine {
  return scriptedEngine(({ tools, messages }, index) => {
    if (!tools) return `draft ${index + 1}`
    const results = messages.filter((m) => m.role === 'tool').length
    if (results === 3) return 'It rains.'
    const call = { name: 'weather', arguments: `{"day":${results}}` }
    return { toolCalls: [{ id: `call-${calls++}`, type: 'function', function: call }] }
  })
}
const count = ({ requests }: ScriptedEngine) => requests.reduce((sum, { n }) => sum + n, 0)
const said = ({ messages }: { messages: Message[] }) => messages.map(textOf).join('\n')

const parameters = { type: 'object', properties: { day: { type: 'number' } } }
const tools = [{ type: 'function' as const, function: { name: 'weather', parameters } }]
type Chat = OpenAI.ChatCompletionMessageParam[]
type Params = Omit<OpenAI.ChatCompletionCreateParamsNonStreaming, 'messages' | 'stream'>
const ask: Params = { model: 'paper', tools }
const question: Chat = [{ role: 'user', content: 'Does it rain?' }]

/** Runs the loop with the official client, and returns the panel of each step. */
async function loop(
  client: OpenAI,
  {
    stream = false,
    before = (chat: Chat) => chat,
    ...more
  }: { stream?: boolean; before?: (chat: Chat) => Chat } & Partial<Params> = {},
): Promise<{ panels: unknown[]; text: string | null | undefined }> {
  const chat = [...question]
  const panels: unknown[] = []
  for (;;) {
    const body = { ...ask, ...more, messages: before(chat) }
    const answered = stream
      ? await client.chat.completions.stream(body as Params & { messages: Chat }).finalChatCompletion()
      : await client.chat.completions.create({ ...body, stream: false })
    panels.push((answered as unknown as { aft?: { panel: unknown } }).aft?.panel)
    const message = answered.choices[0]?.message
    const { tool_calls: called = [] } = message ?? {}
    if (!message || called.length === 0) return { panels, text: message?.content }
    chat.push(message)
    for (const { id } of called) chat.push({ role: 'tool', tool_call_id: id, content: 'rain' })
  }
}
const reused = (step: number) => ({ step, drafts: 'reused' })

test.each([false, true])(
  'openai: four steps at 5 x 2 are 11 + 3 completions (streamed: %s)',
  async (stream) => {
    const engine = looping()
    const { client } = await startServer(engine)
    const { panels, text } = await loop(client, { stream })
    expect([text, count(engine)]).toEqual(['It rains.', 11 + 3])
    if (!stream) expect(panels).toEqual([{ step: 0, drafts: 'new' }, reused(1), reused(2), reused(3)])
    for (const request of engine.requests.slice(2)) expect(said(request)).toContain('5. draft 5')
  },
)

test('the messages of each step begin with those of the step before, drafts included: a prompt cache has read them', async () => {
  const engine = looping()
  const { client } = await startServer(engine)
  await loop(client, { model: 'aft' })
  const steps = engine.requests.slice(1).map(({ messages }) => messages)
  expect(steps.map(({ length }) => length)).toEqual([2, 4, 6, 8])
  for (const [i, before] of steps.slice(0, -1).entries())
    expect(steps[i + 1]?.slice(0, before.length)).toEqual(before)
  expect(steps.at(-1)?.at(-1)).toMatchObject({ role: 'tool' })
})

test('the field aft and the defaults of the server say how often the panel runs', async () => {
  const engine = looping()
  const { client } = await startServer(engine, { defaults: { panel: 'step' } })
  await loop(client)
  expect(count(engine)).toBe(44)
  await loop(client, { aft: { panel: { every: 2 } } } as object)
  expect(count(engine) - 44).toBe(11 + 1 + 11 + 1)
})

test('the responses API: by the id of the last response, or with the whole conversation', async () => {
  for (const isStored of [true, false]) {
    const engine = looping()
    const { client } = await startServer(engine)
    const tool = { type: 'function' as const, name: 'weather', parameters, strict: false }
    let input: OpenAI.Responses.ResponseInput = [{ role: 'user', content: 'Does it rain?' }]
    let previous: string | undefined
    for (let text = ''; text === ''; ) {
      const body = { model: 'paper', instructions: `At ${calls}`, tools: [tool], input, store: isStored }
      const response = await client.responses.create({ ...body, previous_response_id: previous })
      const outputs = response.output.flatMap((item) =>
        item.type === 'function_call'
          ? [{ type: 'function_call_output' as const, call_id: item.call_id, output: 'rain' }]
          : [],
      )
      previous = isStored ? response.id : undefined
      input = isStored
        ? outputs
        : [...input, ...(response.output as OpenAI.Responses.ResponseInput), ...outputs]
      text = response.output_text
    }
    expect(count(engine)).toBe(11 + 3)
  }
})

test('the Anthropic API: results with images and reminders belong to the step', async () => {
  const engine = looping()
  const { url } = await startServer(engine)
  const messages: object[] = [{ role: 'user', content: 'Does it rain?' }]
  for (let isOver = false; !isOver; ) {
    const response = await fetch(`${url}/v1/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'paper',
        max_tokens: 100 - messages.length,
        system: [{ type: 'text', text: `Step ${messages.length}` }],
        tools: [{ name: 'weather', input_schema: parameters }],
        messages,
      }),
    })
    const { content, stop_reason } = (await response.json()) as {
      content: { id?: string }[]
      stop_reason: string
    }
    isOver = stop_reason === 'end_turn'
    const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } }
    const result = {
      type: 'tool_result',
      tool_use_id: content.at(-1)?.id,
      content: [{ type: 'text', text: 'rain' }, image],
    }
    const reminder = { type: 'text', text: '<system-reminder>Be tidy.</system-reminder>' }
    messages.push({ role: 'assistant', content }, { role: 'user', content: [result, reminder] })
  }
  expect(count(engine)).toBe(11 + 3)
})

test('a limit, a cache mark or the time of day in the system prompt may change from step to step', async () => {
  const engine = looping()
  const { client } = await startServer(engine)
  let step = 0
  const before = (chat: Chat): Chat => [{ role: 'system', content: `It is 12:0${step++}.` }, ...chat]
  await loop(client, { before, max_tokens: 500 })
  expect(count(engine)).toBe(11 + 3)
})

test('if the history changes, or drafts are not kept, the panel runs again, and the trace says so', async () => {
  const engine = looping()
  const { client } = await startServer(engine)
  const missed = (step: number) => ({ step, drafts: 'new', isMissed: true })
  const edited = (chat: Chat): Chat =>
    chat.length < 4 ? chat : [{ role: 'user', content: 'Summary.' }, ...chat]
  expect((await loop(client, { before: edited })).panels).toEqual([
    { step: 0, drafts: 'new' },
    reused(1),
    missed(2),
    reused(3),
  ])
  expect(count(engine)).toBe(11 + 1 + 11 + 1)

  const forgetful = looping()
  const other = await startServer(forgetful, { maxStoredBytes: 0 })
  expect((await loop(other.client)).panels).toEqual([
    { step: 0, drafts: 'new' },
    missed(1),
    missed(2),
    missed(3),
  ])
  expect(count(forgetful)).toBe(44)
})

test('two servers behind one address: the second runs the panel once', async () => {
  const engine = looping()
  const [one, two] = [await startServer(engine), await startServer(engine)] as [Started, Started]
  const chat = [...question]
  for (const { client } of [one, two, one, two]) {
    const { choices } = await client.chat.completions.create({ ...ask, messages: chat })
    const message = choices[0]?.message as OpenAI.ChatCompletionMessage
    chat.push(message)
    for (const { id } of message.tool_calls ?? [])
      chat.push({ role: 'tool', tool_call_id: id, content: 'rain' })
  }
  expect(count(engine)).toBe(11 + 11 + 1 + 1)
})

test('no client gets the drafts of another, though it sends the same conversation', async () => {
  const engine = looping()
  const { url, client } = await startServer(engine, { keys: { a: 'key-of-a', b: 'key-of-b' } }, 'key-of-a')
  const { choices } = await client.chat.completions.create({ ...ask, messages: question })
  const message = choices[0]?.message as OpenAI.ChatCompletionMessage
  const results = (message.tool_calls ?? []).map(({ id }) => ({
    role: 'tool' as const,
    tool_call_id: id,
    content: 'rain',
  }))
  const body = JSON.stringify({ ...ask, messages: [...question, message, ...results] })
  const panelOf = async (key: string) => {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` }
    const response = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body })
    return ((await response.json()) as { aft: { panel: object } }).aft.panel
  }
  expect(await panelOf('key-of-b')).toMatchObject({ drafts: 'new', isMissed: true })
  expect(await panelOf('key-of-a')).toMatchObject({ drafts: 'reused' })
})

test('another model, plan or seed has other drafts', async () => {
  const engine = looping()
  const { client } = await startServer(engine)
  const { choices } = await client.chat.completions.create({ ...ask, messages: question })
  const message = choices[0]?.message as OpenAI.ChatCompletionMessage
  const results = (message.tool_calls ?? []).map(({ id }) => ({
    role: 'tool' as const,
    tool_call_id: id,
    content: 'rain',
  }))
  const messages = [...question, message, ...results]
  const panelOf = async (more: object) =>
    (
      (await client.chat.completions.create({ ...ask, messages, ...more })) as unknown as {
        aft: { panel: object }
      }
    ).aft.panel
  for (const more of [{ model: 'aft' }, { aft: { width: 4 } }, { temperature: 0 }, { seed: 7 }])
    expect(await panelOf(more)).toMatchObject({ isMissed: true })
  expect(await panelOf({ max_tokens: 7 })).toMatchObject({ drafts: 'reused' })
})

test('a failed draft is told at each step and counted once', async () => {
  const fail = { error: { kind: 'server' as const, message: 'broken pipe', isRetryable: false } }
  const engine = scriptedEngine((request, index) => {
    if (!request.tools) return index === 1 ? fail : `draft ${index + 1}`
    const results = request.messages.filter((m) => m.role === 'tool').length
    if (results === 1) return 'It rains.'
    return {
      toolCalls: [
        { id: `call-${calls++}`, type: 'function', function: { name: 'weather', arguments: '{}' } },
      ],
    }
  })
  const { client, url } = await startServer(engine)
  const { text } = await loop(client, { model: 'aft-fast' })
  expect(text).toBe('It rains.')
  const metrics = await (await fetch(`${url}/metrics`)).text()
  expect(metrics).toContain('aft_failures_total{kind="server"} 1\n')
  expect(metrics).toContain('aft_degraded_total 2\n')
})
