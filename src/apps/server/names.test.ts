import { describe, expect, test } from 'vitest'
import { scriptedEngine } from '../../engines/scripted/scripted.ts'
import { nameEngines } from './names.ts'
import { startServer, user } from './server.fixture.ts'

const question = { model: 'aft-fast', messages: user('Why?') }
const inside = 'http://10.1.2.3:8000/v1#llama'
const lost = {
  kind: 'unreachable' as const,
  message: 'the connection failed: connect ECONNREFUSED 10.1.2.3:8000',
}
const dead = scriptedEngine([{ replies: [{ error: lost }] }], { id: inside })

test('an engine has the name of its model, not its address or path', () => {
  const names = [
    inside,
    'http://10.9.9.9/v1#llama',
    'gguf:/models/tiny.Q4.gguf',
    'hf:me/tiny:Q4',
    'openai:big',
    'local',
  ]
  const { engines, rename } = nameEngines(Object.fromEntries(names.map((name) => [name, dead])))
  expect(Object.keys(engines)).toEqual([
    'llama',
    'llama-2',
    'tiny.Q4',
    'hf:me/tiny:Q4',
    'openai:big',
    'local',
  ])
  expect(rename({ proposers: [inside, 'local'], aggregators: [inside], judge: inside, width: 2 })).toEqual({
    proposers: ['llama', 'local'],
    aggregators: ['llama'],
    judge: 'llama',
    width: 2,
  })
})

test.each([
  [
    'connect ECONNREFUSED 10.1.2.3:8000. Is a server there?',
    'connect ECONNREFUSED [address]. Is a server there?',
  ],
  ['getaddrinfo ENOTFOUND gpu-7.inside', 'getaddrinfo ENOTFOUND [address]'],
  ['connect ECONNREFUSED ::1:8000', 'connect ECONNREFUSED [address]'],
  ['see http://gpu-7.inside/v1/models for more', 'see [address] for more'],
  [`${inside}: overloaded`, 'llama: overloaded'],
  ['cannot read /srv/models/a.gguf', 'cannot read [path]'],
  ['localhost:1234 said no at 12:30', '[address] said no at 12:30'],
  ['400: max_tokens must be 1/2 or less, or and/or', '400: max_tokens must be 1/2 or less, or and/or'],
])('%j is shown as %j', (message, told) => {
  expect(nameEngines({ [inside]: dead }).conceal(message)).toBe(told)
})

describe('addresses of engines', () => {
  const engines = { [inside]: dead, good: scriptedEngine([{ replies: ['Because.'] }]) }

  test.each([
    ['in an answer', { aft: { proposers: ['llama', 'good'], aggregators: ['good'] } }, 200],
    ['in an error', { aft: { proposers: ['llama'], aggregators: ['llama'] } }, 502],
    ['in an error about a wrong name', { aft: { proposers: [inside] } }, 400],
  ])('are hidden from clients %s', async (_, more, status) => {
    const { post } = await startServer(dead, { engines })
    for (const stream of [false, true]) {
      const response = await post({ ...question, ...more, stream })
      expect(response.status).toBe(stream && status === 502 ? 200 : status)
      const text = await response.text()
      expect(text).toContain('llama')
      if (status !== 400) expect(text).not.toMatch(/10\.1\.2\.3/)
    }
  })

  test('are shown if the operator wants it', async () => {
    const { post } = await startServer(dead, { engines: { [inside]: dead }, showAddresses: true })
    const response = await post({ ...question, model: 'single' })
    expect(await response.json()).toMatchObject({
      error: { message: expect.stringContaining('10.1.2.3:8000') },
    })
  })
})
