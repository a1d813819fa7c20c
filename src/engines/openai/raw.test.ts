import { expect, onTestFinished, test } from 'vitest'
import { type Answer, collect, open, startFixture } from './openai.fixture.ts'
import { openOpenAI } from './openai.ts'

/** Streams as vLLM 0.32 continues a text: a choice has `text`, and scores in lists side by side; the last piece ends it. */
const vllm: Answer = ({ body, send, done }) => {
  const of = (index: number, text: string, finish_reason: string | null) => {
    const logprobs = body.logprobs === undefined ? null : scoresOf(text)
    const none = { stop_reason: null, prompt_token_ids: null, token_ids: null }
    const choice = { index, text, logprobs, finish_reason, ...none }
    return { id: 'cmpl-a0b3', object: 'text_completion', created: 1, model: 'base', choices: [choice] }
  }
  const indexes = Array.from({ length: body.n ?? 1 }, (_, i) => i)
  send(
    ...indexes.map((i) => of(i, ' <think', null)),
    ...indexes.map((i) => of(i, `>${body.seed + i}`, 'length')),
  )
  const usage = {
    prompt_tokens: 7,
    total_tokens: 11,
    completion_tokens: 4,
    prompt_tokens_details: { cached_tokens: 5 },
  }
  send({ ...of(0, '', null), choices: [], usage, system_fingerprint: 'vllm-0.32.0-961fcf44' })
  done()
}

function scoresOf(token: string) {
  return {
    text_offset: [0],
    token_logprobs: [-0.5],
    tokens: [token],
    top_logprobs: [{ other: -1.5, [token]: -0.5 }],
  }
}

const messages = [
  { role: 'system' as const, content: 'Once upon ' },
  { role: 'user' as const, content: [{ type: 'text' as const, text: 'a time' }] },
]

test('raw text is continued at /completions, n in one request, and every tag in it is text', async () => {
  const { engine, asked } = await open({ raw: true }, vllm)
  const { ends } = await collect(engine, {
    messages,
    n: 2,
    sampling: { maxTokens: 2, temperature: 0.5 },
    stop: ['\n'],
  })
  expect(ends.map(({ text, finishReason }) => [text, finishReason])).toEqual([
    [' <think>100', 'length'],
    [' <think>101', 'length'],
  ])
  expect(
    ends.map(({ usage }) => [usage.calls, usage.inputTokens, usage.prefilledTokens, usage.outputTokens]),
  ).toEqual([
    [1, 7, 2, 2],
    [0, 7, 0, 2],
  ])
  expect(asked.map(({ path, body }) => ({ path, ...body }))).toEqual([
    {
      path: '/v1/completions',
      model: 'fixture',
      prompt: 'Once upon a time',
      n: 2,
      seed: 100,
      max_tokens: 2,
      temperature: 0.5,
      stop: ['\n'],
      stream: true,
      stream_options: { include_usage: true },
    },
  ])
})

test('log probabilities of raw text are those of a chat', async () => {
  const { engine, asked } = await open({ raw: true }, vllm)
  const { ends } = await collect(engine, { messages, logprobs: 2 })
  const top = [
    { token: ' <think', logprob: -0.5 },
    { token: 'other', logprob: -1.5 },
  ]
  expect(ends[0]?.logprobs?.[0]).toEqual({ token: ' <think', logprob: -0.5, top })
  expect(ends[0]?.logprobs).toHaveLength(2)
  expect(asked[0]?.body.logprobs).toBe(2)
})

test('a stream that is no stream is read too', async () => {
  const whole: Answer = ({ response }) =>
    void response.end(JSON.stringify({ choices: [{ index: 0, text: 'hill', finish_reason: 'stop' }] }))
  const { engine } = await open({ raw: true, noStream: true }, whole)
  expect((await collect(engine, { messages })).ends[0]?.text).toBe('hill')
})

test.each([
  ['tools', { tools: [{ type: 'function' as const, function: { name: 'look' } }] }],
  ['a response format', { responseFormat: { type: 'json_object' as const } }],
  ['image_url', { messages: [{ role: 'user' as const, content: [{ type: 'image_url' }] }] }],
])('raw text cannot have %s', async (name, more) => {
  const { engine, asked } = await open({ raw: true }, vllm)
  await expect(collect(engine, more)).rejects.toThrow(`raw text cannot have ${name}`)
  expect(asked).toEqual([])
})

test('a server without the address for raw text is named, with what it needs', async () => {
  const { engine } = await open({ raw: true, maxRetries: 0 }, ({ refuse }) => refuse(404, 'Not Found'))
  const { failures } = await collect(engine)
  expect(failures[0]?.error.message).toContain('raw text needs a server with /v1/completions')
})

/** What vLLM 0.32 answered. The fox is three tokens, two of them without text; offsets count characters of Unicode. */
const echoed = {
  text_offset: [0, 1, 1, 1, 3, 8, 9, 10, 15],
  token_logprobs: [null, -19.51, -4.74, -5.51, -12.93, -1.62, -1.58, -9.78, -1.57],
  tokens: ['A', '', '', ' 🦊', ' asks', ':', '\n', 'which', ' of'],
  top_logprobs: [null, { '': -19.51, '-': -0.9 }],
}
const echo: Answer = ({ response }) => {
  const choice = { index: 0, text: 'A 🦊 asks:\nwhich of', logprobs: echoed, finish_reason: 'length' }
  response.end(JSON.stringify({ object: 'text_completion', choices: [choice] }))
}

test('a raw text after another has the scores of its own tokens only', async () => {
  const { engine, asked } = await open({ raw: true }, echo)
  const ask = (prompt: string, text: string) => engine.score?.([{ role: 'user', content: prompt }], text)
  expect(await ask('A 🦊 asks:\n', 'which')).toEqual([{ token: 'which', logprob: -9.78 }])
  const scores = await ask('A', ' 🦊 asks:\nwhich')
  expect(scores?.map(({ token }) => token)).toEqual(['', '', ' 🦊', ' asks', ':', '\n', 'which'])
  expect(asked[0]?.body).toEqual({
    model: 'fixture',
    prompt: 'A 🦊 asks:\nwhich',
    max_tokens: 1,
    echo: true,
    logprobs: 1,
    stream: false,
  })
})

test('a server that does not send the prompt back cannot score, and that is said', async () => {
  const server = await startFixture(
    ({ response }) => void response.end('{"choices":[{"text":"x","logprobs":{"content":[]}}]}'),
  )
  onTestFinished(() => server.close())
  const engine = openOpenAI({ model: 'm', baseURL: server.baseURL, raw: true })
  await expect(engine.score?.(messages, 'x')).rejects.toThrow('expected `logprobs` of a prompt (`echo`)')
})
