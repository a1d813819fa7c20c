import { expect, onTestFinished, test } from 'vitest'
import { type Answer, startFixture } from './openai.fixture.ts'
import { openOpenAI } from './openai.ts'

const question = [{ role: 'user' as const, content: 'Name a river.' }]

/** Scores as vLLM 0.32 does: a token is a word, a turn has two more, and the first token of a prompt has no score. */
const vllm: Answer = ({ body, response }) => {
  const isOpen = body.add_generation_prompt === true
  const tokens = body.messages.flatMap(({ role, content }) => [
    `<${role}>`,
    ...String(content).split(/(?= )/),
  ])
  if (isOpen) tokens.push('<assistant>')
  const scores = tokens.map((token, i) =>
    i === 0 ? null : { [String(900 + i)]: { logprob: -i / 10, rank: 1, decoded_token: token } },
  )
  response.setHeader('content-type', 'application/json')
  response.end(
    JSON.stringify({
      choices: [{ index: 0, message: { role: 'assistant', content: 'x' }, finish_reason: 'length' }],
      usage: { prompt_tokens: tokens.length, completion_tokens: 1, total_tokens: tokens.length + 1 },
      ...(body.prompt_logprobs !== undefined && { prompt_logprobs: scores }),
    }),
  )
}

async function open(answer: Answer, count = 1) {
  const servers = await Promise.all(Array.from({ length: count }, () => startFixture(answer)))
  const engine = openOpenAI({ model: 'm', baseURL: servers.map(({ baseURL }) => baseURL) })
  onTestFinished(() => Promise.all([engine, ...servers].map((each) => each.close?.())).then(() => {}))
  return { servers, engine }
}

test.each([1, 2])('each token of a text after a conversation has its score (servers: %i)', async (count) => {
  const { engine, servers } = await open(vllm, count)
  const scores = await engine.score?.(question, 'The Rhine is one.')
  expect(scores).toEqual([
    { token: 'The', logprob: -0.5 },
    { token: ' Rhine', logprob: -0.6 },
    { token: ' is', logprob: -0.7 },
    { token: ' one.', logprob: -0.8 },
  ])
  const [, second] = servers.flatMap(({ asked }) => asked)
  expect(second?.body).toMatchObject({
    prompt_logprobs: 0,
    continue_final_message: true,
    add_generation_prompt: false,
    max_tokens: 1,
  })
})

test.each<[string, Answer]>([
  ['reports none', ({ response }) => void response.end('{"choices":[],"usage":{"prompt_tokens":3}}')],
  [
    'reports something else',
    ({ response }) =>
      void response.end('{"usage":{"prompt_tokens":0},"prompt_logprobs":[{"1":{"logprob":"x"}}]}'),
  ],
])('a server that %s is named, with what can', async (_, answer) => {
  const { engine } = await open(answer)
  await expect(engine.score?.(question, 'x')).rejects.toThrow('expected `prompt_logprobs` from the server')
})

test('an answer that is no JSON is an error of the server', async () => {
  const { engine } = await open(({ response }) => void response.end('<html>'))
  await expect(engine.score?.(question, 'x')).rejects.toThrow('expected JSON from the server')
})
