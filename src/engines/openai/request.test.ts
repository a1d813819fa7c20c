import { describe, expect, it } from 'vitest'
import type { CompletionRequest } from '../../core/provider/engine.ts'
import { type Answer, type Asked, collect, model, open, refuse, sumOf, toRequest } from './openai.fixture.ts'
import { openOpenAI } from './openai.ts'

describe('what is sent', () => {
  it('is one streamed request for n completions, with their first seed and the sampling', async () => {
    const { engine, asked } = await open({ extraBody: { user: 'me' } }, model())
    const sampling = {
      maxTokens: 7,
      temperature: 0.7,
      topP: 0.9,
      topK: 5,
      minP: 0.1,
      frequencyPenalty: 1,
      presencePenalty: 2,
    }
    const { ends } = await collect(engine, { n: 3, sampling, stop: ['zzz'] })
    expect(ends).toHaveLength(3)
    expect(asked.map(({ body }) => body)).toEqual([
      {
        model: 'fixture',
        messages: toRequest().messages,
        n: 3,
        seed: 100,
        stream: true,
        stream_options: { include_usage: true },
        max_tokens: 7,
        temperature: 0.7,
        top_p: 0.9,
        top_k: 5,
        min_p: 0.1,
        frequency_penalty: 1,
        presence_penalty: 2,
        stop: ['zzz'],
        user: 'me',
      },
    ])
  })

  it('leaves out what the request does not say', async () => {
    const { engine, asked } = await open({}, model())
    await collect(engine)
    expect(Object.keys(asked[0]?.body ?? {})).toEqual([
      'model',
      'messages',
      'seed',
      'stream',
      'stream_options',
      'max_tokens',
    ])
  })

  it('passes images, tools, tool choice and response format on unchanged', async () => {
    const { engine, asked } = await open({}, model())
    const messages: CompletionRequest['messages'] = [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What is this?' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==', detail: 'low' } },
        ],
      },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 'a', content: '1' },
    ]
    const tools: CompletionRequest['tools'] = [
      { type: 'function', function: { name: 'f', parameters: { type: 'object' } } },
    ]
    const responseFormat: CompletionRequest['responseFormat'] = {
      type: 'json_schema',
      json_schema: { name: 'x', schema: {} },
    }
    await collect(engine, { messages, tools, toolChoice: 'required', responseFormat })
    expect(asked[0]?.body).toMatchObject({
      messages,
      tools,
      tool_choice: 'required',
      response_format: responseFormat,
    })
  })

  it('holds the key as a bearer, or no key at all, and how often aft has called aft', async () => {
    const { engine, asked, fixture } = await open({}, model())
    await collect(engine)
    await collect(openOpenAI({ baseURL: fixture.baseURL, model: 'm', apiKey: 'secret', hops: 4 }))
    await collect(
      openOpenAI({ baseURL: fixture.baseURL, model: 'm', env: { OPENAI_API_KEY: 'local', AFT_HOPS: '3' } }),
    )
    expect(asked.map(({ headers }) => [headers.authorization, headers['x-aft-hops']])).toEqual([
      [undefined, '1'],
      ['Bearer secret', '4'],
      ['Bearer local', '3'],
    ])
  })

  it('is one request for each run of consecutive seeds, so that each completion gets its own', async () => {
    const { engine, asked, fixture } = await open({}, model())
    const { ends } = await collect(engine, { n: 4, seeds: [7, 8, 50, 51] })
    expect(asked.map(({ body }) => [body.seed, body.n]).sort()).toEqual([
      [50, 2],
      [7, 2],
    ])
    const alone = await collect(openOpenAI({ baseURL: fixture.baseURL, model: 'm', env: {} }), {
      seeds: [51],
    })
    expect(ends[3]?.text).toBe(alone.ends[0]?.text)
    expect(sumOf(ends, 'calls')).toBe(2)
  })

  it('is nothing if the number of seeds is wrong', async () => {
    const { engine, asked } = await open({}, model())
    await expect(collect(engine, { n: 2, seeds: [1] })).rejects.toThrow('got n 2 and 1 seeds')
    expect(asked).toEqual([])
  })
})

describe('a server that gives fewer completions than asked for', () => {
  it('is asked again for those that are missing, with their own seeds, and never again for several', async () => {
    const { engine, asked } = await open({}, model({ ignoresN: true }))
    const { ends, events } = await collect(engine, { n: 3 })
    expect(new Set(ends.map((e) => e.text)).size).toBe(3)
    expect(asked.map(({ body }) => [body.seed, body.n]).sort()).toEqual([
      [100, 3],
      [101, undefined],
      [102, undefined],
    ])
    expect(sumOf(ends, 'calls')).toBe(3)
    expect(events.some((e) => e.type === 'completion-restarted')).toBe(false)
    await collect(engine, { n: 2 })
    expect(asked.slice(3).map(({ body }) => body.n)).toEqual([undefined, undefined])
  })

  it.each([
    ["Field 'n': Value must be between 1 <= value <= 2, but got 5", [undefined, 2, 2, 5]],
    ['only few n are supported', [undefined, 2, 2, 5]],
    ['this cannot be', [undefined, undefined, undefined, undefined, undefined, 5]],
  ])('teaches by the refusal "%s" how many it gives', async (message, ns) => {
    const atMost = message === 'this cannot be' ? 1 : 2
    const { engine, asked } = await open({}, (one) => {
      if ((one.body.n ?? 1) > atMost) return one.refuse(400, { error: { message } })
      return model()(one)
    })
    expect((await collect(engine, { n: 5 })).ends).toHaveLength(5)
    expect(asked.map(({ body }) => body.n).sort()).toEqual([...ns].sort())
    await collect(engine, { n: 2 })
    expect(Math.max(...asked.slice(ns.length).map(({ body }) => body.n ?? 1))).toBe(atMost)
  })

  it('at temperature 0 only is asked for one, and for several at others', async () => {
    const message = 'n must be 1 when using greedy sampling, got 3.'
    const { engine, asked } = await open({}, (one) => {
      const isGreedy = one.body.temperature === 0 && (one.body.n ?? 1) > 1
      return isGreedy ? one.refuse(400, { error: { message } }) : model()(one)
    })
    const greedy = { n: 3, sampling: { temperature: 0 } }
    expect((await collect(engine, greedy)).ends.map((end) => end.warnings)).toEqual([
      undefined,
      undefined,
      undefined,
    ])
    await collect(engine, { n: 3 })
    await collect(engine, greedy)
    expect(asked.map(({ body }) => body.n)).toEqual([
      3,
      undefined,
      undefined,
      undefined,
      3,
      undefined,
      undefined,
      undefined,
    ])
  })

  it('is not asked for each completion when it refuses something else', async () => {
    const { engine, asked } = await open({}, refuse(400, 'this schema is wrong'))
    const { failures } = await collect(engine, { n: 5 })
    expect(failures.map((f) => [f.error.kind, f.error.status])).toEqual(Array(5).fill(['refused', 400]))
    expect(asked.map(({ body }) => body.n)).toEqual([5, undefined])
  })
})

describe('names that a server refuses', () => {
  const picky = (refused: string, message: string) => (asked: Asked) =>
    refused in asked.body ? asked.refuse(400, { error: { message } }) : model()(asked)

  it('change from max_tokens to max_completion_tokens, once', async () => {
    const message =
      "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    const { engine, asked } = await open({}, picky('max_tokens', message))
    expect((await collect(engine)).ends).toHaveLength(1)
    await collect(engine)
    expect(asked.map(({ body }) => body.max_completion_tokens)).toEqual([undefined, 8, 8])
  })

  it('are not switched back', async () => {
    const { engine, asked } = await open({}, refuse(400, 'unsupported: max_tokens, max_completion_tokens'))
    expect((await collect(engine)).failures).toHaveLength(1)
    expect(asked).toHaveLength(2)
  })

  it('are left out if only the usage is lost', async () => {
    const { engine, asked } = await open(
      {},
      picky('stream_options', 'stream_options: Extra inputs are not permitted'),
    )
    expect((await collect(engine)).ends).toHaveLength(1)
    expect(asked.map(({ body }) => 'stream_options' in body)).toEqual([true, false])
  })
})

it('with noStream a whole answer is asked for, and read', async () => {
  const whole: Answer = ({ response }) => {
    const message = { role: 'assistant', content: 'whole' }
    response.setHeader('content-type', 'application/json')
    response.end(
      JSON.stringify({ choices: [0, 1].map((index) => ({ index, message, finish_reason: 'stop' })) }),
    )
  }
  const { engine, asked } = await open({ noStream: true }, whole)
  const { ends } = await collect(engine, { n: 2 })
  expect(ends.map(({ text }) => text)).toEqual(['whole', 'whole'])
  expect(asked[0]?.body).toMatchObject({ stream: false, n: 2 })
  expect(asked[0]?.body).not.toHaveProperty('stream_options')
})
