import { describe, expect, it } from 'vitest'
import { EngineError } from '../../core/provider/errors.ts'
import {
  type Answer,
  type Asked,
  collect,
  delta,
  finish,
  model,
  open,
  refuse,
  say,
  usage,
} from './openai.fixture.ts'

describe('failures that may pass', () => {
  const failed = {
    message: "Failed to call a function. See 'failed_generation' for more details.",
    code: 'tool_use_failed',
    failed_generation: '<function=f>',
  }
  it.each<[string, Answer]>([
    ['a refusal', (asked) => asked.refuse(400, { error: failed }, { 'retry-after-ms': '1' })],
    [
      'an error of the stream',
      (asked) => {
        asked.send(delta(0, ''), { error: { ...failed, status_code: 400 } })
        asked.done()
      },
    ],
  ])('include a sample that is no call of a tool, as %s: three attempts in all', async (_, fails) => {
    const { engine, asked } = await open({}, fails, say('whole'))
    expect((await collect(engine)).ends).toMatchObject([{ text: 'whole' }])
    const never = await open({}, fails)
    expect((await collect(never.engine)).failures).toMatchObject([{ error: { kind: 'server', status: 400 } }])
    expect([asked.length, never.asked.length]).toEqual([2, 3])
  })

  it('of one completion of n leave the others, and only it is retried', async () => {
    const half = (asked: Asked) => {
      asked.send(delta(0, 'a'), delta(1, 'ha'), delta(2, 'c'), finish(0), finish(2))
      asked.done()
    }
    const { engine, asked } = await open({}, half, say('whole'))
    const { ends, events } = await collect(engine, { n: 3 })
    expect(ends.map((e) => e.text)).toEqual(['a', 'whole', 'c'])
    expect(asked.map(({ body }) => [body.seed, body.n])).toEqual([
      [100, 3],
      [101, undefined],
    ])
    const own = events.filter((e) => e.index === 1).map((e) => e.type)
    expect(own).toEqual([
      'completion-delta',
      'completion-restarted',
      'completion-waiting',
      'completion-delta',
      'completion-end',
    ])
    expect(ends.map((e) => e.usage.calls)).toEqual([1, 1, 0])
  })

  it.each<[string, Answer]>([
    ['a connection that breaks before the answer', (asked) => void asked.response.destroy()],
    [
      'a connection that breaks in the middle',
      async (asked) => {
        asked.send(delta(0, 'ha'))
        await new Promise((resolve) => setTimeout(resolve, 20))
        asked.response.destroy()
      },
    ],
    [
      'a stream that ends without a finish reason',
      (asked) => {
        asked.send(delta(0, 'ha'))
        asked.response.end()
      },
    ],
    [
      'a stream that is done without a finish reason, with half a tool call',
      (asked) => {
        const called = { name: 'go', arguments: '{"to":' }
        asked.send(delta(0, 'ha'), delta(0, { tool_calls: [{ index: 0, id: 'a', function: called }] }))
        asked.done()
      },
    ],
    ['a stream with nothing in it', (asked) => asked.done()],
    [
      'an error in the stream',
      (asked) => asked.send(delta(0, 'ha'), { error: { message: 'out of memory' } }),
    ],
    ['what is not JSON', (asked) => void asked.response.writeHead(200).end('data: {"choices": [{"ind\n\n')],
    ['an answer that says that it failed', say('ha', 'error')],
    ['500', refuse(500)],
    ['502', refuse(502)],
    ['503', refuse(503)],
    ['504', refuse(504)],
    ['429', refuse(429)],
  ])('%s: the request is sent again', async (_, broken) => {
    const { engine, asked } = await open({}, broken, say('whole'))
    const { ends } = await collect(engine)
    expect(ends).toMatchObject([{ text: 'whole', usage: { calls: 2 } }])
    expect(asked).toHaveLength(2)
  })

  it('silence: the connection is closed and the request sent again', async () => {
    const { engine, asked } = await open(
      { timeoutMs: 60 },
      () => {},
      (one) => one.send(delta(0, 'ha')),
      say('whole'),
    )
    expect((await collect(engine)).ends).toMatchObject([{ text: 'whole' }])
    await Promise.all(asked.slice(0, 2).map((one) => one.closed))
  })

  it('in an answer cut at any byte leave exactly the completions that had ended', async () => {
    const events = [delta(0, 'Fuchs 🦊'), delta(1, 'b'), finish(1), delta(0, '!'), finish(0), usage(6, 3)]
    const bytes = Buffer.from(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''))
    const endOf = (chunk: object) => bytes.indexOf(JSON.stringify(chunk)) + JSON.stringify(chunk).length
    const endsAt = [endOf(finish(0)), endOf(finish(1))]
    const { engine } = await open({ maxRetries: 0 }, (asked) => {
      asked.response.writeHead(200, { 'content-type': 'text/event-stream' })
      asked.response.end(bytes.subarray(0, asked.number))
    })
    for (let cut = 0; cut <= bytes.length; cut++) {
      const { ends, failures } = await collect(engine, { n: 2 })
      const finished = [0, 1].filter((i) => cut >= (endsAt[i] ?? 0))
      expect(ends.map((e) => e.index)).toEqual(finished)
      expect(ends.length + failures.length).toBe(2)
      for (const { index, text } of ends) expect(text).toBe(['Fuchs 🦊!', 'b'][index])
    }
  })

  it('end after ten attempts, and are counted', async () => {
    const { engine, asked } = await open({}, refuse(429, 'slow down'))
    const { failures } = await collect(engine)
    expect(asked).toHaveLength(10)
    expect(failures).toMatchObject([
      {
        error: { kind: 'rate-limit', status: 429, message: '429: slow down' },
        usage: { calls: 10, outputTokens: 0 },
      },
    ])
  })

  it('end after as many attempts as the caller allows, with what they took', async () => {
    const { engine } = await open({ maxRetries: 1 }, (asked) => {
      asked.send(delta(0, 'half'), delta(0, ' of'), finish(0, 'network_error'))
      asked.done()
    })
    const { failures } = await collect(engine)
    expect(failures).toMatchObject([
      {
        error: { kind: 'server', message: 'the server ended it with "network_error"' },
        usage: { calls: 2, outputTokens: 2, prefilledTokens: null, estimated: true },
      },
    ])
  })

  it('wait as long as the server asks, but not for a day', async () => {
    const later = (asked: Asked) =>
      asked.refuse(429, { error: { message: 'quota' } }, { 'retry-after': '86400' })
    const { engine, asked } = await open({}, later)
    const { failures } = await collect(engine)
    expect(failures[0]?.error.message).toBe('429: quota (the server asks to wait 86400 s: try again then)')
    expect(asked).toHaveLength(1)
  })

  it('end soon if no server answers at all, and say so', async () => {
    const { engine, fixture } = await open({}, model())
    await fixture.close()
    const { failures } = await collect(engine)
    expect(failures).toMatchObject([
      { error: { kind: 'unreachable' }, usage: { calls: 3, prefilledTokens: 0 } },
    ])
    expect(failures[0]?.error.message).toMatch(/ECONNREFUSED.*Is a server running there\?/)
  })
})

describe('failures that no retry helps', () => {
  it.each([
    [400, 'refused'],
    [401, 'auth'],
    [402, 'billing'],
    [403, 'auth'],
    [404, 'not-found'],
    [422, 'refused'],
  ])(
    '%i is reported at once as %s, with the words of the server and without the key',
    async (status, kind) => {
      const key = 'my-own-key-0815'
      const message = `wrong: ${key} ${'x'.repeat(400)}`
      const { engine, asked } = await open({ apiKey: key, id: 'mine' }, refuse(status, message))
      const { failures } = await collect(engine)
      const [error] = failures.map((f) => f.error)
      expect(error).toBeInstanceOf(EngineError)
      expect(error).toMatchObject({ kind, status, engine: 'mine', isRetryable: false })
      expect(error?.message).toMatch(/^\d+: wrong: \[hidden\] x+…$/)
      expect(error?.message.length).toBeLessThan(320)
      expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain(key)
      expect(asked).toHaveLength(1)
    },
  )

  it('name the response format, if the server does not take it', async () => {
    const { engine } = await open({}, refuse(400, 'response_format is not supported'))
    expect((await collect(engine)).failures).toMatchObject([
      { error: { kind: 'refused', param: 'response_format' } },
    ])
  })

  it.each([
    ['a plain text', 'go away', '404: go away'],
    ['a string in `error`', { error: 'no such model' }, '404: no such model'],
    ['a `detail`', { detail: 'Not Found' }, '404: Not Found'],
    ['a `message`', { object: 'error', message: 'unknown model' }, '404: unknown model'],
  ])('are read from %s', async (_, body, message) => {
    const { engine } = await open({}, (asked) => asked.refuse(404, body))
    expect((await collect(engine)).failures[0]?.error.message).toBe(message)
  })

  it('are a web page in place of an answer, or an error body with the status 200', async () => {
    const page = await open({}, (asked) => {
      asked.response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end('<p>Hello')
    })
    expect((await collect(page.engine)).failures[0]?.error.message).toContain('does it end in /v1?')
    const vllm = await open({}, (asked) => asked.send({ object: 'error', message: 'bad', code: 400 }))
    expect((await collect(vllm.engine)).failures[0]?.error.message).toContain(
      '400: in its answer the server says: bad',
    )
  })

  it('say so if no key was sent', async () => {
    const { engine } = await open({}, refuse(401, 'no key'))
    expect((await collect(engine)).failures[0]?.error.message).toContain('--api-key-env')
  })

  it.each([
    [
      'OpenAI',
      {
        error: {
          message:
            "This model's maximum context length is 8192 tokens. However, your messages resulted in 10000 tokens.",
          code: 'context_length_exceeded',
        },
      },
      { prompt: 10000, context: 8192 },
    ],
    [
      'vLLM',
      {
        object: 'error',
        message:
          "This model's maximum context length is 4096 tokens. However, you requested 5024 tokens (4000 in the messages, 1024 in the completion).",
        code: 400,
      },
      { prompt: 4000, context: 4096 },
    ],
    [
      'llama-server',
      {
        error: {
          code: 400,
          message: 'request (51 tokens) exceeds the available context size (32 tokens), try increasing it',
          type: 'exceed_context_size_error',
          n_prompt_tokens: 51,
          n_ctx: 32,
        },
      },
      { prompt: 51, context: 32 },
    ],
  ])(
    'a prompt too long for %s is an error of the whole request, with its tokens',
    async (_, body, tokens) => {
      const { engine, asked } = await open({}, (one) => one.refuse(400, body))
      await expect(collect(engine, { n: 3 })).rejects.toMatchObject({
        kind: 'context-overflow',
        status: 400,
        tokens,
      })
      expect(asked).toHaveLength(1)
    },
  )
})
