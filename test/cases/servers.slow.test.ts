/**
 * Odd servers that users met: what `aft ask` and `aft serve` make of them. A row per case; `npm run test:cases -- -t NAME`
 * runs one.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { errorFromStatus } from '../../src/engines/upstream/error.ts'
import { aft } from '../command-line.ts'
import { hasCases, place, post, readRequest, serve, startStub } from './cases.fixture.ts'

interface Answer {
  answer: string
  warnings?: unknown[]
  [other: string]: unknown
}

/** What is expected of a case. */
interface Expected {
  /** The JSON of `aft ask --json`. `aft serve` answers the same text and warnings. */
  ask?: Answer
  /** What the error says, of both. */
  fails?: RegExp
  /** The message that `aft serve` answers to the case's own request. */
  serve?: object
  /** The most requests that the stub may get for `aft ask`; the first refusals of a process included. */
  requests?: number
}

const hello: Answer = { answer: 'Hello world', finishReason: 'stop', degraded: false }
const call = (name: string, args: string) => ({ type: 'function', function: { name, arguments: args } })
const oslo = call('get_weather', '{"city":"Oslo"}')

const expected: Record<string, Expected> = {
  'blank-system-message': { ask: hello, requests: 3 },
  'content-parts-magistral': { ask: { ...hello, answer: 'The answer is 42.' }, requests: 3 },
  'event-error-without-key': { fails: /The model is overloaded, ask later/ },
  'finish-reason-in-every-chunk': { ask: hello, requests: 3 },
  'finish-reason-network-error': { fails: /the server ended it with "network_error"/ },
  'llama-server-error-field': { fails: /exceeds the available context size/, requests: 2 },
  'no-finish-reason-but-done': { ask: hello, requests: 3 },
  'reasoning-model-temperature': { ask: hello, requests: 3 },
  'seed-refused-mistral': { ask: { ...hello, warnings: [expect.stringContaining('refuses `seed`')] } },
  'sse-labelled-json': { ask: hello, requests: 3 },
  'sse-multi-line-data': { ask: hello, requests: 3 },
  'system-role-refused': { ask: hello, requests: 3 },
  'think-tags-of-magistral': { ask: hello, requests: 3 },
  'thinking-spends-the-limit': { fails: /m: .*limit was spent on thinking.*--max-tokens/ },
  'tool-arguments-object': { serve: { tool_calls: [oslo] } },
  'tool-calls-same-index': { serve: { tool_calls: [oslo, call('get_time', '{"tz":"UTC"}')] } },
  'tool-history-without-tools': { serve: { content: 'Hello world' } },
  'tool-name-repeated': { serve: { tool_calls: [oslo] } },
}

const size = ['--width', '2', '--depth', '1', '--max-retries', '2']
const hi = { model: 'aft', messages: [{ role: 'user', content: 'Hi' }] }

interface Answered {
  choices?: { message: unknown }[]
  aft?: { warnings?: unknown[] }
  error?: { message: string }
}

/** What `aft serve` answers with a server behind it. */
async function answerOf(model: string, body: object): Promise<Answered> {
  const url = await serve(['--model', model, ...size])
  return (await post(`${url}/v1/chat/completions`, body)).json() as Promise<Answered>
}

describe.skipIf(!hasCases)('odd servers (needs ../shared/cases/serve)', () => {
  test.each(Object.entries(expected))(
    '%s: aft ask',
    async (name, { ask = hello, fails, requests = Infinity }) => {
      const stub = await startStub(name)
      const { code, stdout, stderr } = await aft(['ask', 'Hi', '--model', stub.model, ...size, '--json'])
      if (fails) expect(stderr).toMatch(fails)
      expect(code, stderr).toBe(fails ? 1 : 0)
      if (!fails) expect(JSON.parse(stdout)).toMatchObject(ask)
      expect((await stub.bodies()).length).toBeLessThanOrEqual(requests)
    },
  )

  test.each(Object.entries(expected))('%s: aft serve', async (name, { ask = hello, fails, serve: own }) => {
    const { model } = await startStub(name)
    const { choices, aft: trace, error } = await answerOf(model, own ? readRequest(name) : hi)
    if (fails) return expect(error?.message).toMatch(fails)
    expect(choices?.[0]?.message, error?.message).toMatchObject(own ?? { content: ask.answer })
    if (!own && ask.warnings) expect(trace?.warnings).toEqual(ask.warnings)
  })

  test('dropped-request-fields: they reach the server behind', async () => {
    const request = readRequest('dropped-request-fields')
    const all = {
      prompt_cache_key: 'k',
      user: 'u',
      service_tier: 'auto',
      metadata: { a: 'b' },
      verbosity: 'low',
    }
    const stub = await startStub('dropped-request-fields')
    const { error } = await answerOf(stub.model, { ...request, ...all, logit_bias: { 1: 2 } })
    expect(error).toBeUndefined()
    const bodies = (await stub.bodies()).map((body) => JSON.parse(body))
    expect(bodies.length).toBeGreaterThan(1)
    const { reasoning_effort, parallel_tool_calls } = request
    for (const body of bodies) expect(body).toMatchObject({ ...all, logit_bias: { 1: 2 }, reasoning_effort })
    expect(bodies.at(-1)).toMatchObject({ parallel_tool_calls, tools: [{}, {}] })
    for (const body of bodies.slice(0, -1)) expect(body).not.toHaveProperty('parallel_tool_calls')
  })

  test('overflow-wordings', () => {
    const wordings: { who: string; status: number; message: string; overflow?: boolean }[] = JSON.parse(
      readFileSync(place('overflow-wordings', 'wordings.json'), 'utf8'),
    )
    const wrong = wordings.filter(({ status, message, overflow = true }) => {
      return (errorFromStatus('e', status, message).kind === 'context-overflow') !== overflow
    })
    expect(wrong).toEqual([])
  })
})
