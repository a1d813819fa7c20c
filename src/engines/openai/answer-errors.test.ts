/** Errors within an answer, limits on what a server may send, and faults of this program. */
import { createGzip } from 'node:zlib'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { type Answer, type Asked, collect, delta, open, say, toRequest } from './openai.fixture.ts'

const raw =
  (body: string, type = 'text/event-stream'): Answer =>
  ({ response }) =>
    void response.writeHead(200, { 'content-type': type }).end(body)

const deep = (open: string, close: string, within: (inner: string) => string) =>
  within(`${open.repeat(20_000)}1${close.repeat(20_000)}`)

const asEvent = (body: object) => `data: ${JSON.stringify(body)}\n\n`

describe('an error in an answer that began well has its words, and is final', () => {
  const OVERFLOW = 'the request exceeds the available context size. try increasing the context size'
  it.each<[string, string, string, string]>([
    [
      'a field `error:`',
      `error: ${JSON.stringify({ code: 400, message: 'bad field', type: 'invalid_request_error' })}\n\ndata: [DONE]\n\n`,
      'refused',
      'bad field',
    ],
    [
      'an event `error` without the key',
      'event: error\ndata: {"type":"invalid_request_error","message":"bad field"}\n\n',
      'refused',
      'bad field',
    ],
    ['an event `error` with words', 'event: error\ndata: Invalid API key\n\n', 'auth', 'Invalid API key'],
    [
      'a JSON line between events',
      `${asEvent(delta(0, ''))}{"error":{"message":"model m does not exist","type":"invalid_request_error"}}\n\n`,
      'not-found',
      'model m does not exist',
    ],
    [
      'a document under the label of a stream',
      JSON.stringify({ error: { message: 'bad field', code: 422 } }),
      'refused',
      'bad field',
    ],
    [
      'a list, as Google has it',
      JSON.stringify([{ error: { code: 400, message: 'bad field', status: 'INVALID_ARGUMENT' } }]),
      'refused',
      'bad field',
    ],
    [
      "Google's code",
      asEvent({ error: { code: 403, message: 'no', status: 'PERMISSION_DENIED' } }),
      'auth',
      'no',
    ],
    [
      'a bare message',
      asEvent({ message: 'model m does not exist', code: 'model_not_found' }),
      'not-found',
      'model m does not exist',
    ],
    ['a bare `detail`', JSON.stringify({ detail: 'Unsupported field' }), 'refused', 'Unsupported field'],
    [
      'a list of details',
      JSON.stringify({ detail: [{ loc: ['body', 'x'], msg: 'Field is not permitted', type: 'e' }] }),
      'refused',
      'body.x: Field is not permitted',
    ],
    [
      "MiniMax's base_resp",
      asEvent({ choices: null, base_resp: { status_code: 2013, status_msg: 'invalid params' } }),
      'refused',
      'invalid params',
    ],
    [
      "Anthropic's event",
      'event: error\ndata: {"type":"error","error":{"type":"authentication_error","message":"no"}}\n\n',
      'auth',
      'no',
    ],
    [
      'an error of the choice',
      asEvent({
        choices: [{ index: 0, error: { code: 400, message: 'bad field' }, finish_reason: 'error' }],
      }),
      'refused',
      'bad field',
    ],
    [
      'an error of the delta',
      asEvent(delta(0, { error: { code: 400, message: 'bad field' } })),
      'refused',
      'bad field',
    ],
    [
      'an error in the field of Groq',
      asEvent({ ...delta(0, ''), x_groq: { id: 'r', error: 'bad field is not permitted' } }),
      'refused',
      'bad field',
    ],
    [
      'an event that failed',
      `event: response.failed\n${asEvent({ type: 'response.failed', response: { error: { message: 'bad field', code: 400 } } })}`,
      'refused',
      'bad field',
    ],
    [
      "an exception of AWS, in AWS's words",
      asEvent({ Message: 'User is not authorized', __type: 'AccessDeniedException' }),
      'auth',
      'User is not authorized',
    ],
    [
      'a named exception',
      asEvent({ validationException: { message: 'bad field is not permitted' } }),
      'refused',
      'bad field',
    ],
    [
      'words beside an empty list of choices',
      asEvent({ choices: [], error_msg: 'bad field is not permitted' }),
      'refused',
      'bad field',
    ],
    [
      'a required field',
      asEvent({ detail: [{ loc: ['body', 'x'], msg: 'field required' }] }),
      'refused',
      'body.x',
    ],
    [
      'a provider behind a router',
      asEvent({
        error: {
          code: 400,
          message: 'Provider returned error',
          metadata: { raw: '{"error":{"message":"bad field"}}' },
        },
      }),
      'refused',
      'Provider returned error: bad field',
    ],
  ])('as %s', async (_, body, kind, words) => {
    const { engine, asked } = await open({}, raw(body))
    const { failures } = await collect(engine)
    expect(failures).toMatchObject([{ error: { kind, isRetryable: false } }])
    expect(failures[0]?.error.message).toContain(`in its answer the server says: ${words}`)
    expect(asked).toHaveLength(1)
  })

  it.each([
    `error: ${JSON.stringify({ code: 400, message: OVERFLOW })}\n\n`,
    asEvent({ error: { message: OVERFLOW } }),
    asEvent({ error: { type: 'exceed_context_size_error', message: 'x', n_prompt_tokens: 51, n_ctx: 32 } }),
    asEvent({
      error: {
        code: 400,
        message: 'Provider returned error',
        metadata: { raw: 'prompt is too long: 5 tokens > 4 maximum' },
      },
    }),
  ])('a prompt that is too long is one in %s too', async (body) => {
    const { engine, asked } = await open({}, raw(body))
    await expect(collect(engine)).rejects.toMatchObject({ kind: 'context-overflow' })
    expect(asked).toHaveLength(1)
  })
})

it.each([{ error: {} }, { error: null }, { error: '' }, { message: 'success', code: 0 }])(
  '%j beside choices is no error',
  async (more) => {
    const { engine } = await open({}, raw(asEvent({ ...delta(0, 'Hi', 'stop'), ...more })))
    expect((await collect(engine)).ends).toMatchObject([{ text: 'Hi' }])
  },
)

describe('an error in an answer that may pass is retried', () => {
  it.each([
    'event: error\ndata: {"code":"InternalError","message":"The model is overloaded, ask later"}\n\n',
    asEvent({ error: { type: 'overloaded_error', message: 'Overloaded' } }),
    asEvent({ error: { code: 429, message: 'slow down', status: 'RESOURCE_EXHAUSTED' } }),
    asEvent({ error: 'upstream connect error' }),
    JSON.stringify({ status: 503, error: 'Service Unavailable' }),
    'Internal Server Error',
    '',
  ])('%s', async (body) => {
    const { engine, asked } = await open({}, raw(body), say('whole'))
    expect((await collect(engine)).ends).toMatchObject([{ text: 'whole' }])
    expect(asked).toHaveLength(2)
    const again = await open({ maxRetries: 0 }, raw(body))
    const [failure] = (await collect(again.engine)).failures
    const words =
      /Overloaded|overloaded, ask later|slow down|upstream connect error|Unavailable|Internal Server|nothing/
    expect(failure?.error.message).toMatch(words)
  })
})

describe('what a server may send has an end', () => {
  /** Writes until the client closes. */
  const endless =
    (next: string, begin = '', status = 200): Answer =>
    async ({ response, closed }: Asked) => {
      response.writeHead(status, { 'content-type': 'text/event-stream' })
      response.write(begin)
      let isClosed = false
      void closed.then(() => (isClosed = true))
      while (!isClosed) {
        if (!response.write(next))
          await Promise.race([closed, new Promise((resolve) => response.once('drain', resolve))])
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
  const long = 'x'.repeat(2 ** 20)

  it.each<[string, Answer, RegExp]>([
    [
      'a text',
      endless(asEvent(delta(0, 'word '.repeat(5_000)))),
      /at most 1048576 characters for 8 tokens.*"word word/,
    ],
    [
      'reasoning',
      endless(asEvent(delta(0, { reasoning: 'word '.repeat(5_000) }))),
      /at most 1048576 characters/,
    ],
    ['white space', endless(asEvent(delta(0, ' '.repeat(25_000)))), /at most 1048576 characters/],
    [
      'arguments',
      endless(asEvent(delta(0, { tool_calls: [{ index: 0, function: { name: 'f', arguments: long } }] }))),
      /at most 1048576 characters/,
    ],
    [
      'calls of tools',
      endless(
        asEvent(delta(0, { tool_calls: Array(100).fill({ function: { name: 'f', arguments: '{}' } }) })),
      ),
      /at most 1000 calls of tools/,
    ],
    [
      'log probabilities',
      endless(
        asEvent({
          choices: [
            { index: 0, delta: {}, logprobs: { content: Array(1_000).fill({ token: 'x', logprob: -1 }) } },
          ],
        }),
      ),
      /at most 1048576 characters/,
    ],
    ['a line', endless(long, 'data: {"choices": [{"'), /a line of at most 16 MiB.*data: /],
    ['a document', endless(long, '{"choices": [{"'), /a line of at most 64 MiB.*choices/],
  ])('%s', async (_, answer, words) => {
    const { engine, asked } = await open({}, answer)
    const { failures } = await collect(engine)
    expect(failures).toMatchObject([{ error: { kind: 'server', isRetryable: false } }])
    expect(failures[0]?.error.message).toMatch(words)
    await asked[0]?.closed
    expect(asked).toHaveLength(1)
  })

  it.each<[string, string]>([
    ['comments', ': still here\n\n'],
    ['chunks that say nothing', asEvent(delta(0, {}))],
  ])('%s, after 15 times the longest silence', async (_, sign) => {
    vi.useFakeTimers({ toFake: ['performance'] })
    onTestFinished(() => void vi.useRealTimers())
    const { engine, asked } = await open({ timeoutMs: 60_000, maxRetries: 0 }, async (one) => {
      one.send(delta(0, 'Hi'))
      for (let minutes = 0; minutes < 20 && !one.isClosed; minutes++) {
        one.response.write(sign)
        await new Promise((resolve) => setTimeout(resolve, 5))
        if (!one.isClosed) vi.advanceTimersByTime(60_000)
      }
    })
    expect((await collect(engine)).failures[0]?.error).toMatchObject({
      kind: 'timeout',
      message: 'nothing but signs of life came from the server for 900000 ms',
    })
    await asked[0]?.closed
  })

  it.each<[string, string, string]>([
    ['lists', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, 'failed'],
    [
      'content',
      deep(
        '{"content":[',
        ']}',
        (inner) => `{"choices":[{"index":0,"delta":{"content":${inner}},"finish_reason":"stop"}]}`,
      ),
      '',
    ],
    [
      'arguments',
      deep(
        '{"a":',
        '}',
        (inner) =>
          `{"choices":[{"index":0,"delta":{"content":"Hi","tool_calls":[{"function":{"name":"f","arguments":${inner}}}]},"finish_reason":"stop"}]}`,
      ),
      'Hi',
    ],
    ['an error', deep('{"error":', '}', (inner) => inner), 'failed'],
  ])('%s that are nested 20,000 deep', async (_, body, text) => {
    const { engine } = await open({ maxRetries: 0 }, raw(`data: ${body}\n\n`))
    const { ends, failures } = await collect(engine)
    expect([...ends.map((end) => end.text), ...failures.map(() => 'failed')]).toEqual([text])
  })

  it('alternatives of a token: at most 20, and only those that are some', async () => {
    const scores = [
      { token: 'a', logprob: 'x', top_logprobs: 'y' },
      { token: 'b', logprob: -1, top_logprobs: [null, 5, ...Array(50).fill({ token: 'c', logprob: -2 })] },
    ]
    const choice = { index: 0, delta: { content: 'b' }, logprobs: { content: scores }, finish_reason: 'stop' }
    const { engine } = await open({}, raw(asEvent({ choices: [choice] })))
    const { ends } = await collect(engine, { logprobs: 50 })
    expect(ends[0]?.logprobs).toEqual([
      { token: 'b', logprob: -1, top: Array(20).fill({ token: 'c', logprob: -2 }) },
    ])
  })

  it('a number that no completion has stands for one, and not for a place', async () => {
    for (const index of [1e9, -1, 'x', null]) {
      const { engine } = await open(
        {},
        raw(asEvent({ choices: [{ index, delta: { content: 'Hi' }, finish_reason: 'stop' }] })),
      )
      expect((await collect(engine)).ends).toMatchObject([{ text: 'Hi' }])
    }
  })

  it('the body of an error', async () => {
    const { engine, asked } = await open({}, endless(long, '{"error": {"message": "', 400))
    const { failures } = await collect(engine)
    expect(failures).toMatchObject([{ error: { kind: 'refused', status: 400 } }])
    expect(failures[0]?.error.message.length).toBeLessThan(400)
    await asked[0]?.closed
  })

  it('an answer that is small until it is unpacked', async () => {
    const { engine, asked } = await open({}, async ({ response, closed }) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' })
      const gzip = createGzip()
      gzip.pipe(response)
      let isClosed = false
      void closed.then(() => (isClosed = true))
      while (!isClosed) await new Promise((resolve) => gzip.write(' '.repeat(2 ** 20), resolve))
      gzip.destroy()
    })
    const { failures } = await collect(engine)
    expect(failures).toMatchObject([{ error: { kind: 'server', isRetryable: false } }])
    await asked[0]?.closed
  })

  it('a line of five million characters is read', async () => {
    const text = 'word '.repeat(1_000_000)
    const { engine } = await open({}, say(text))
    const { ends } = await collect(engine, { sampling: { maxTokens: 1_000_000 } })
    expect(ends[0]?.text.length).toBe(text.length)
  })
})

describe('a fault of this program', () => {
  it('is not taken for a connection that failed, and not retried', async () => {
    const { engine, asked } = await open({ concurrency: 1 }, say('a'))
    const fault = new TypeError('x is not a function')
    const request = {
      ...toRequest(),
      get endsEarly(): boolean {
        if (asked.length > 0) throw fault
        return false
      },
    }
    const ask = async () => {
      for await (const _ of engine.generate(request));
    }
    await expect(ask()).rejects.toBe(fault)
    expect(asked).toHaveLength(1)
    // The slot is free again.
    expect((await collect(engine)).ends).toHaveLength(1)
  })
})

describe('an address', () => {
  it.each([
    ['/chat/completions', 'the address already ends in /completions'],
    ['/..', 'the address has no /v1'],
  ])('that ends in %s is named when nothing is found there', async (path, words) => {
    const { fixture } = await open({}, (asked) => asked.refuse(404, 'not found'))
    const { openOpenAI } = await import('./openai.ts')
    const engine = openOpenAI({ baseURL: fixture.baseURL + path, model: 'm', env: {} })
    expect((await collect(engine)).failures[0]?.error.message).toContain(words)
  })

  it.each([301, 302, 303])(
    'that sends on with %i is told, since the question would be lost',
    async (status) => {
      const { engine, asked } = await open({}, ({ response }) => {
        response.writeHead(status, { location: 'https://other.example/v1/chat/completions?key=secret' }).end()
      })
      const { failures } = await collect(engine)
      expect(failures[0]?.error.message).toBe(
        `${status}: the server sends on to https://other.example/v1: give that address instead`,
      )
      expect(asked).toHaveLength(1)
    },
  )

  it('with a key of one letter leaves words whole', async () => {
    const { engine } = await open({ apiKey: 'x' }, (asked) =>
      asked.refuse(422, { error: { message: 'extra_forbidden: key x' } }),
    )
    expect((await collect(engine)).failures[0]?.error.message).toBe('422: extra_forbidden: key [hidden]')
  })
})
