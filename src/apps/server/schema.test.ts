/** Answers of every endpoint follow the schema of their request, whole and streamed. */
import { describe, expect, test } from 'vitest'
import { type Script, scriptedEngine } from '../../engines/scripted/scripted.ts'
import { readEvents, type Started, startServer, user } from './server.fixture.ts'

const schema = {
  type: 'object',
  properties: { city: { type: 'string', enum: ['Paris', 'Rome'] } },
  required: ['city'],
  additionalProperties: false,
}
const good = '{"city":"Paris"}'
const bad = '{"city":"Berlin"}'
const problem = 'expected `city` to be one of "Paris","Rome", got "Berlin"'

/** Broken until the model sees its own reply. */
const mended: Script = ({ messages }) => (messages.at(-2)?.content === bad ? good : bad)

/** What the answers of the APIs have. */
interface Whole {
  choices: { message: { content: string } }[]
  output: { content: { text: string }[] }[]
  content: { text: string }[]
  aft: {
    degradedBecause?: string[]
    warnings?: string[]
    layers: { completions: { saw?: number[] }[] }[]
  }
}
const readWhole = async (response: Response) => (await response.json()) as Whole

interface Door {
  path: string
  body(schema: unknown): Record<string, unknown>
  textOf(answer: Whole): string | undefined
  param: string
}
const doors: Record<string, Door> = {
  'chat completions': {
    path: '/v1/chat/completions',
    body: (schema) => ({
      messages: user('A city?'),
      response_format: { type: 'json_schema', json_schema: { name: 'x', schema } },
    }),
    textOf: ({ choices }) => choices[0]?.message.content,
    param: 'response_format.json_schema.schema',
  },
  responses: {
    path: '/v1/responses',
    body: (schema) => ({ input: 'A city?', text: { format: { type: 'json_schema', name: 'x', schema } } }),
    textOf: ({ output }) => output[0]?.content[0]?.text,
    param: 'text.format.schema',
  },
  messages: {
    path: '/v1/messages',
    body: (schema) => ({
      messages: user('A city?'),
      max_tokens: 100,
      output_config: { format: { type: 'json_schema', schema } },
    }),
    textOf: ({ content }) => content[0]?.text,
    param: 'output_config.format.schema',
  },
  'messages, the older field': {
    path: '/v1/messages',
    body: (schema) => ({
      messages: user('A city?'),
      max_tokens: 100,
      output_format: { type: 'json_schema', schema },
    }),
    textOf: ({ content }) => content[0]?.text,
    param: 'output_format.schema',
  },
}

const post = ({ url }: Started, { path }: Door, body: object) =>
  fetch(`${url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'single', ...body }),
  })

describe.each(Object.entries(doors))('%s', (_, door) => {
  test('an answer that breaks the schema is repaired, whole and streamed', async () => {
    const server = await startServer(scriptedEngine(mended))
    const whole = await readWhole(await post(server, door, door.body(schema)))
    expect(door.textOf(whole)).toBe(good)
    expect(whole.aft).toMatchObject({
      degraded: false,
      warnings: ['a reply was not the JSON that was asked for and was written again'],
      layers: [{ completions: [{ form: { repaired: [problem] } }] }],
    })
    const streamed = await post(server, door, { ...door.body(schema), stream: true })
    const text = await streamed.text()
    expect(text).toContain('Paris')
    expect(text.replaceAll('got \\"Berlin\\"', '').replaceAll('got \\\\\\"Berlin\\\\\\"', '')).not.toContain(
      'Berlin',
    )
  })

  test('one that is broken after that is degraded, with the reason', async () => {
    const server = await startServer(scriptedEngine([{ replies: [bad] }]))
    const response = await post(server, door, door.body(schema))
    expect(response.headers.get('x-aft-degraded')).toBe('true')
    const whole = await readWhole(response)
    expect(door.textOf(whole)).toBe(bad)
    expect(whole.aft.degradedBecause).toEqual([`the answer is not the JSON that was asked for: ${problem}`])
  })

  test.each([
    ['a wrong type', { properties: { a: { type: 'objekt' } } }, '.properties.a.type'],
    ['a slow pattern', { items: { pattern: '^(a+)+$' } }, '.items.pattern'],
    ['a reference elsewhere', { $ref: 'http://127.0.0.1:1/schema' }, '.$ref'],
    ['too many parts', { enum: Array.from({ length: 6_000 }, () => []) }, ''],
  ])('%s gets status 400 with its path before any call, also for a stream', async (_, hostile, path) => {
    const engine = scriptedEngine([])
    const server = await startServer(engine)
    for (const stream of [false, true]) {
      const response = await post(server, door, { ...door.body(hostile), stream })
      expect(response.status).toBe(400)
      const { error } = (await response.json()) as { error: { message: string; param?: string } }
      expect(error.message.startsWith(`${door.param}${path}: `)).toBe(true)
    }
    expect(engine.requests).toEqual([])
  })
})

test('JSON mode: a fence is left out, and the trace says so', async () => {
  const server = await startServer(scriptedEngine([{ replies: ['```json\n{"a": 1}\n```'] }]))
  const body = { model: 'aft-fast', messages: user('JSON?'), response_format: { type: 'json_object' } }
  const { choices, aft } = await readWhole(await server.post(body))
  expect(choices[0]?.message.content).toBe('{"a": 1}')
  expect(aft.warnings).toEqual(['the text around the JSON of a reply was left out'])
})

test('a broken proposal is left out of the next layer, and the trace names it', async () => {
  const engine = scriptedEngine(({ key, messages }, index) => {
    if (key === '1.0') return good
    return index === 1 || messages.at(-2)?.content === bad ? bad : good
  })
  const server = await startServer(engine)
  const body = { model: 'aft-fast', ...doors['chat completions']?.body(schema) }
  const { aft } = await readWhole(await server.post(body))
  expect(aft.layers[0]?.completions[1]).toMatchObject({ excluded: 'schema', form: { broken: [problem] } })
  expect(aft.layers[1]?.completions[0]?.saw).toEqual([0, 2])
})

test('the events of the page end with the checked result', async () => {
  const server = await startServer(scriptedEngine(mended))
  const door = { ...(doors['chat completions'] as Door), path: '/v1/aft' }
  const events = await readEvents(await post(server, door, door.body(schema)))
  expect(events.at(-1)).toMatchObject({ type: 'answer', result: { answer: good, degraded: false } })
})

test('with tools and several answers to choose from, JSON that breaks its schema is a degraded answer and no error', async () => {
  const { url } = await startServer(scriptedEngine([{ replies: ['Reply in words.'] }]), {
    limits: { maxTokens: 100, width: 6, depth: 3 },
  })
  const body = {
    model: 'rsa',
    messages: [{ role: 'user', content: 'Q' }],
    tools: [{ type: 'function', function: { name: 'look', parameters: {} } }],
    response_format: { type: 'json_object' },
  }
  const headers = { 'content-type': 'application/json' }
  const reply = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
  })
  expect(reply.status).toBe(200)
  expect(await reply.json()).toMatchObject({ aft: { degraded: true } })
})
