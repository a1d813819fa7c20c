import { describe, expect, test } from 'vitest'
import { echo, scriptedEngine } from '../../engines/scripted/scripted.ts'
import { startServer, user } from './server.fixture.ts'

const question = { model: 'two', messages: user('Why is the sky blue?') }
const presets = {
  two: {
    proposers: [{ engine: 'a', n: 2, temperature: 0.3, maxTokens: 50 }, 'b'],
    aggregators: [{ engine: 'b', reasoning: 'high' as const, maxTokens: 900, fallbacks: ['a'] }],
  },
}

async function start() {
  const [a, b] = [scriptedEngine(echo), scriptedEngine(echo)]
  const { post } = await startServer(a, { engines: { a, b }, defaults: { width: 5 }, presets })
  const sent = () => [...a.requests, ...b.requests].map(({ n, sampling }) => ({ n, ...sampling }))
  return { post, sent }
}

describe('roles of a preset', () => {
  test('have settings of their own; the width of the server gives way to their numbers', async () => {
    const { post, sent } = await start()
    expect((await post(question)).status).toBe(200)
    expect(sent()).toEqual([
      { n: 2, temperature: 0.3, maxTokens: 50 },
      { n: 1 },
      { n: 1, reasoning: 'high', maxTokens: 900 },
    ])
  })

  test('give way to the request, whose token limit is the most for each', async () => {
    const { post, sent } = await start()
    await post({ ...question, temperature: 1, reasoning_effort: 'low', max_tokens: 80, aft: { width: 2 } })
    const shared = { n: 1, temperature: 1, reasoning: 'low' }
    expect(sent()).toEqual([
      { ...shared, maxTokens: 50 },
      { ...shared, maxTokens: 80 },
      { ...shared, maxTokens: 80 },
    ])
  })

  test('of a request win over its own fields', async () => {
    const { post, sent } = await start()
    const aft = { proposers: [{ engine: 'a', n: 1, temperature: 0 }], aggregators: ['b'] }
    await post({ ...question, temperature: 1, aft })
    expect(sent()).toEqual([
      { n: 1, temperature: 0 },
      { n: 1, temperature: 1 },
    ])
  })
})

test.each([
  [{ proposers: [{ engine: 'c' }] }, 'aft.proposers', /no engine "c" here/],
  [{ aggregators: [{ engine: 'a', fallbacks: [{ engine: 'c' }] }] }, 'aft.aggregators', /no engine "c" here/],
  [{ proposers: [{ engine: 'a', n: 1e9 }] }, 'aft.proposers', /at most 16, got 1000000000/],
  [{ judge: { engine: 'a', maxTokens: 1e9 } }, 'aft.judge', /at most 32768/],
  [
    {
      proposers: [
        { engine: 'a', n: 9 },
        { engine: 'b', n: 9 },
      ],
    },
    'aft.width',
    /at most 16, got 18/,
  ],
  [{ proposers: [{ engine: 'a', topP: 2 }] }, 'aft.proposers.0.topP', /expected a number from 0 to 1/],
  [{ proposers: [{ engine: 'a', n: 2 }], width: 3 }, 'aft.width', /leave one of them out/],
])('%j is refused', async (aft, param, message) => {
  const { post, sent } = await start()
  const response = await post({ ...question, aft })
  expect(response.status).toBe(400)
  expect(await response.json()).toMatchObject({ error: { param, message: expect.stringMatching(message) } })
  expect(sent()).toEqual([])
})
