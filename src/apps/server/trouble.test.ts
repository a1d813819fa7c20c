import { get } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import type { CompletionRequest } from '../../core/provider/engine.ts'
import { hops } from '../../engines/openai/hops.ts'
import { openOpenAI } from '../../engines/openai/openai.ts'
import { echo, type Reply, type Rule, scriptedEngine } from '../../engines/scripted/scripted.ts'
import { readEvents, startServer, user } from './server.fixture.ts'

const isAggregator = /Drafts:/
const question = { model: 'aft-fast', messages: user('Why is the sky blue?') }
const broken = { kind: 'server', message: 'the line is dead' } as const
const withAggregator = (...replies: Reply[]): Rule[] => [
  { when: isAggregator, replies },
  { replies: ['One.', 'Two.', 'Three.'] },
]
const forever: Rule[] = [{ replies: [{ text: 'word '.repeat(1_000), delayMs: 20 }] }]

describe('a failure', () => {
  test('in mid-stream is an error event without a finish reason and without [DONE]', async () => {
    const { post } = await startServer(scriptedEngine(withAggregator({ text: 'Half an', error: broken })))
    const events = await readEvents(await post({ ...question, stream: true }))
    expect(events.at(-1)).toMatchObject({
      error: { message: expect.stringContaining('dead'), type: 'server_error' },
    })
    expect(JSON.stringify(events)).toContain('Half')
    expect(JSON.stringify(events)).not.toMatch(/"finish_reason":"|DONE/)
  })

  test('in mid-stream reaches the official client as an error', async () => {
    const { client } = await startServer(scriptedEngine(withAggregator({ text: 'Half an', error: broken })))
    const stream = await client.chat.completions.create({ ...question, stream: true })
    const read = async () => {
      for await (const _ of stream);
    }
    await expect(read()).rejects.toThrow(/the line is dead/)
  })

  test('in mid-stream is not replaced by a fallback', async () => {
    const engines = {
      a: scriptedEngine(withAggregator({ text: 'Half an', error: broken })),
      b: scriptedEngine([{ replies: ['Another.'] }]),
    }
    const { post } = await startServer(engines.a, { engines })
    const aft = { proposers: ['a'], aggregators: ['a', 'b'] }
    const events = await readEvents(await post({ ...question, stream: true, aft }))
    expect(JSON.stringify(events)).not.toContain('Another')
    expect(events.at(-1)).toHaveProperty('error')
  })

  test('before the first byte is replaced by a fallback', async () => {
    const engines = {
      a: scriptedEngine(withAggregator({ error: broken })),
      b: scriptedEngine([{ replies: ['Another.'] }]),
    }
    const { post } = await startServer(engines.a, { engines })
    const aft = { proposers: ['a'], aggregators: ['a', 'b'] }
    const events = await readEvents(await post({ ...question, stream: true, aft }))
    expect(JSON.stringify(events)).toContain('Another')
    expect(events.at(-1)).toBe('[DONE]')
  })

  test('of the aggregator gives the best proposal as the answer, marked as degraded', async () => {
    const { client } = await startServer(scriptedEngine(withAggregator({ error: broken })))
    const answer = await client.chat.completions.create(question)
    expect(['One.', 'Two.', 'Three.']).toContain(answer.choices[0]?.message.content)
    expect(answer).toMatchObject({ aft: { degraded: true, layers: [{}, { failures: [{ error: broken }] }] } })
  })

  const statuses: [NonNullable<Reply['error']>['kind'], number, string][] = [
    ['unreachable', 502, 'upstream_unreachable'],
    ['server', 502, 'upstream_server'],
    ['auth', 502, 'upstream_auth'],
    ['timeout', 504, 'upstream_timeout'],
    ['rate-limit', 429, 'upstream_rate_limit'],
    ['context-overflow', 400, 'context_length_exceeded'],
    ['refused', 400, 'upstream_refused'],
  ]
  test.each(statuses)('of kind %s of every proposer is a %i', async (kind, status, code) => {
    const { post } = await startServer(scriptedEngine([{ replies: [{ error: { kind, message: 'no' } }] }]))
    const response = await post(question)
    expect(response.status).toBe(status)
    expect(response.headers.get('x-should-retry')).toBe('false')
    expect(await response.json()).toMatchObject({ error: { code, message: expect.stringContaining('no') } })
  })

  describe('of unknown kind shows no internals and is logged', () => {
    const log = vi.fn()
    const faulty = {
      id: 'x',
      generate: () => {
        throw new TypeError('secret of the house')
      },
    }
    beforeEach(() => log.mockClear())

    test('if no proposer is left', async () => {
      const { post } = await startServer(faulty, { log })
      const response = await post({ ...question, model: 'single' })
      expect(response.status).toBe(500)
      const text = await response.text()
      expect(JSON.parse(text)).toMatchObject({ error: { code: 'internal_error', type: 'server_error' } })
      expect(text).not.toContain('secret')
      expect(log).toHaveBeenCalledWith(expect.stringContaining('secret of the house'))
    })

    test('if another engine answers', async () => {
      const { post } = await startServer(faulty, { log, engines: { one: faulty, two: scriptedEngine(echo) } })
      const response = await post({ ...question, aft: { aggregators: ['two'] } })
      expect([response.status, response.headers.get('x-aft-degraded')]).toEqual([200, 'true'])
      const text = await response.text()
      expect(JSON.parse(text).aft.layers[0].failures).toMatchObject([
        { engine: 'one', error: { kind: 'internal' } },
        {},
      ])
      expect(text).not.toContain('secret')
      expect(log).toHaveBeenCalledWith(expect.stringContaining('secret of the house'))
    })

    test('in a stream', async () => {
      const { post } = await startServer(faulty, { log })
      const text = await (await post({ ...question, model: 'single', stream: true })).text()
      expect(text).toContain('"code":"internal_error"')
      expect(text).not.toContain('secret')
      expect(log).toHaveBeenCalledWith(expect.stringContaining('secret of the house'))
    })
  })
})

describe('a client that disconnects', () => {
  test.each([true, false])('ends every call upstream (stream: %s)', async (stream) => {
    const engine = scriptedEngine(forever)
    const { post } = await startServer(engine)
    const leave = new AbortController()
    const response = post({ ...question, stream }, { signal: leave.signal })
    response.catch(() => {})
    await expect.poll(() => engine.requests.length).toBe(1)
    if (stream) await response
    leave.abort()
    const { signal } = engine.requests[0] as CompletionRequest
    await expect.poll(() => signal?.aborted).toBe(true)
  })
})

describe('the queue', () => {
  test('refuses a request if it is full, and says when to retry', async () => {
    const engine = scriptedEngine(forever)
    const { post } = await startServer(engine, { maxRunning: 1, maxWaiting: 2 })
    const leave = new AbortController()
    const ask = () => post({ ...question, stream: true }, { signal: leave.signal })
    const [first, second] = [await ask(), await ask()]
    expect([first.status, second.status]).toEqual([200, 200])
    const refused = await ask()
    expect(refused.status).toBe(429)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await refused.json()).toMatchObject({ error: { type: 'rate_limit_error', code: 'queue_full' } })
    leave.abort()
  })
})

describe('draining', () => {
  test('lets a running request end and refuses new ones', async () => {
    const slow = scriptedEngine([{ replies: [{ text: 'a b c', delayMs: 100 }] }])
    const { post, close, url } = await startServer(slow)
    const response = await post({ ...question, model: 'single', stream: true })
    const closing = close(10_000)
    await expect(fetch(`${url}/health`)).rejects.toThrow()
    expect((await readEvents(response)).at(-1)).toBe('[DONE]')
    await closing
  })

  test('ends a request that takes too long with an error', async () => {
    const { post, close } = await startServer(scriptedEngine(forever))
    const response = await post({ ...question, model: 'single', stream: true })
    const [events] = await Promise.all([readEvents(response), close(50)])
    expect(events.at(-1)).toMatchObject({ error: { code: 'stopping' } })
  })
})

describe('keys', () => {
  const keys = { alice: 'key-of-alice', bob: 'key-of-bob' }
  test.each([
    ['none', 401],
    ['key-of-carol', 401],
    ['key-of-bob', 200],
  ])('%s is a %i', async (key, status) => {
    const { client } = await startServer(scriptedEngine(echo), { keys }, key)
    const answer = client.chat.completions.create({ ...question, model: 'single' })
    if (status === 200) expect((await answer).choices.length).toBe(1)
    else await expect(answer).rejects.toMatchObject({ status, code: 'invalid_api_key' })
  })

  test('are needed for everything but /health', async () => {
    const { url } = await startServer(scriptedEngine(echo), { keys })
    const statuses = await Promise.all(
      ['/health', '/metrics', '/v1/models', '/v1/nothing'].map(
        async (path) => (await fetch(url + path)).status,
      ),
    )
    expect(statuses).toEqual([200, 401, 401, 401])
  })
})

describe('a bad body', () => {
  const bodies: [string, unknown, number, string | null][] = [
    ['that is not JSON', '{', 400, null],
    ['that is not UTF-8', new Uint8Array([0x7b, 0xff, 0x7d]), 400, null],
    ['that is no object', [], 400, null],
    ['without messages', { model: 'aft' }, 400, 'messages'],
    ['with empty messages', { model: 'aft', messages: [] }, 400, 'messages'],
    [
      'with an unknown role',
      { model: 'aft', messages: [{ role: 'king', content: '' }] },
      400,
      'messages.0.role',
    ],
    ['without content', { model: 'aft', messages: [{ role: 'user' }] }, 400, 'messages.0.content'],
    ['with an unknown model', { ...question, model: 'gpt-5' }, 404, 'model'],
    ['with the model __proto__', { ...question, model: '__proto__' }, 404, 'model'],
    ['with negative width', { ...question, aft: { width: -1 } }, 400, 'aft.width'],
    ['with width 10,000', { ...question, aft: { width: 10_000 } }, 400, 'aft.width'],
    ['with depth 10,000', { ...question, aft: { depth: 10_000 } }, 400, 'aft.depth'],
    ['with 10^9 rounds', { ...question, aft: { strategy: 'rsa', steps: 1e9 } }, 400, 'aft.steps'],
    ['with n 1,000', { ...question, n: 1_000 }, 400, 'n'],
    ['with n for a vote', { ...question, n: 2, aft: { strategy: 'self-consistency' } }, 400, 'n'],
    ['with max_tokens 0.5', { ...question, max_tokens: 0.5 }, 400, 'max_tokens'],
    ['with a strange field in aft', { ...question, aft: { baseURL: 'http://x' } }, 400, 'aft.baseURL'],
    [
      'with an engine of its own',
      { ...question, aft: { proposers: ['gguf:/etc/passwd'] } },
      400,
      'aft.proposers',
    ],
    ['with an empty stop', { ...question, stop: [''] }, 400, 'stop.0'],
    ['with audio', { ...question, modalities: ['text', 'audio'] }, 400, 'modalities.1'],
    ['with functions of old', { ...question, functions: [{ name: 'f' }] }, 400, 'functions'],
    ['with alternatives of no log probabilities', { ...question, top_logprobs: 3 }, 400, 'top_logprobs'],
    ['that must call a tool and has none', { ...question, tool_choice: 'required' }, 400, 'tool_choice'],
    ['nested without end', `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 400, null],
    ['with a wrong temperature', { ...question, temperature: 'hot' }, 400, 'temperature'],
    [
      'with more shown than there is',
      { ...question, aft: { strategy: 'rsa', sample: 9 } },
      400,
      'aft.sample',
    ],
  ]
  test.each(bodies)('%s is refused with its field', async (_, body, status, param) => {
    const engine = scriptedEngine(echo)
    const { post } = await startServer(engine)
    const response = await post(body)
    expect(response.status).toBe(status)
    const type = 'invalid_request_error'
    expect(await response.json()).toMatchObject({ error: { param, type, message: expect.any(String) } })
    expect(engine.requests).toEqual([])
  })

  test('of 10 MB is a 413', async () => {
    const { post } = await startServer(scriptedEngine(echo))
    const response = await post({ model: 'aft', messages: user('x'.repeat(10_000_000)) })
    expect(response.status).toBe(413)
  })

  test('without the content type of JSON is a 415, because pages of other sites can send one', async () => {
    const { post } = await startServer(scriptedEngine(echo))
    const response = await post(question, { headers: { 'content-type': 'text/plain' } })
    expect(response.status).toBe(415)
    expect(response.headers.get('access-control-allow-origin')).toBe(null)
  })

  test('with unknown fields is answered, and they are listed', async () => {
    const { post } = await startServer(scriptedEngine(echo))
    const response = await post({ ...question, model: 'single', prediction: {}, user: 'me' })
    expect([response.status, response.headers.get('x-aft-ignored')]).toEqual([200, 'prediction'])
  })
})

describe('a requested format', () => {
  const form = { response_format: { type: 'json_schema', json_schema: { name: 'x', schema: {} } } }

  test('is not replaced by a proposal without that format', async () => {
    const { post } = await startServer(scriptedEngine(withAggregator({ error: broken })))
    const response = await post({ ...question, ...form })
    expect(response.status).toBe(502)
    expect(await response.json()).toMatchObject({ error: { message: expect.stringContaining('the form') } })
  })

  test('that the engine does not support is named as the wrong field', async () => {
    const error = { kind: 'refused' as const, message: 'no grammar for $ref', param: 'response_format' }
    const { post } = await startServer(scriptedEngine(withAggregator({ error })))
    const response = await post({ ...question, ...form })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ error: { param: 'response_format' } })
  })
})

describe('the host of a request', () => {
  const ask = (url: string, host: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      get(`${url}/v1/models`, { headers: { host } }, (response) => {
        response.resume()
        resolve(response.statusCode)
      }).on('error', reject)
    })

  test('on loopback must be this machine, or a name that the operator allows', async () => {
    const { url } = await startServer(scriptedEngine(echo), {}, 'none', { allowHost: ['box.example'] })
    const withPort = startServer(scriptedEngine(echo), {}, 'none', { allowHost: ['box.example:80'] })
    await expect(withPort).rejects.toThrow(
      '--allow-host: expected a host name such as chat.example, without port',
    )
    const taken = startServer(scriptedEngine(echo), {}, 'none', { port: Number(new URL(url).port) })
    await expect(taken).rejects.toThrow('another program listens there; give another --port')
    const statusOf = (host: string) => ask(url, host)
    for (const host of ['localhost:1234', '127.0.0.1', '[::1]:80', 'a.localhost', 'Box.example:8080']) {
      expect([host, await statusOf(host)]).toEqual([host, 200])
    }
    for (const host of ['evil.example', '127.0.0.1.evil.example', 'localhost.evil.example:80', '10.0.0.1']) {
      expect([host, await statusOf(host)]).toEqual([host, 403])
    }
  })
})

describe('hops', () => {
  test('more than 2 are a 508', async () => {
    const { post } = await startServer(scriptedEngine(echo))
    const ask = (count: string) =>
      post({ ...question, model: 'single' }, { headers: { 'x-aft-hops': count } })
    expect((await ask('2')).status).toBe(200)
    expect((await ask('-5')).status).toBe(400)
    const refused = await ask('3')
    expect([refused.status, refused.headers.get('x-should-retry')]).toEqual([508, 'false'])
  })

  test('a server that calls itself is detected', async () => {
    let url = ''
    const engine = openOpenAI({
      model: 'single',
      baseURL: 'http://127.0.0.1:1/v1',
      fetch: (_, init) => fetch(`${url}/v1/chat/completions`, init),
    })
    const started = await startServer(engine)
    url = started.url
    const response = await started.post({ ...question, model: 'single' })
    expect(response.status).toBe(508)
    expect(hops.getStore()).toBe(undefined)
  })
})

test('metrics count requests, tokens and failures', async () => {
  const { post, url } = await startServer(scriptedEngine(withAggregator({ error: broken })))
  await post(question)
  await post({})
  const text = await (await fetch(`${url}/metrics`)).text()
  expect(text).toContain('aft_requests_total{endpoint="/v1/chat/completions",status="200"} 1\n')
  expect(text).toContain('aft_requests_total{endpoint="/v1/chat/completions",status="400"} 1\n')
  expect(text).toContain('aft_failures_total{kind="server"} 1\n')
  expect(text).toContain('aft_degraded_total 1\n')
})

test('headers and the first event are sent before the first token', async () => {
  let go = () => {}
  const gate = new Promise<void>((resolve) => {
    go = resolve
  })
  const { post } = await startServer(
    scriptedEngine(async () => {
      await gate
      return 'Yes.'
    }),
  )
  const response = await post({ ...question, model: 'single', stream: true })
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  const first = new TextDecoder().decode((await reader.read()).value)
  expect(first).toContain('"role":"assistant"')
  go()
  await wait(0)
  await reader.cancel()
})
