/** Cases of clients that could not use the server: each folder holds what was sent, and a README with what should come. */
import { describe, expect, onTestFinished, test } from 'vitest'
import { readEvents } from '../../src/apps/server/server.fixture.ts'
import { echo, scriptedEngine } from '../../src/engines/scripted/scripted.ts'
import { startChatServer } from '../chat-server.ts'
import { hasCases, post, readRequest, serve } from './cases.fixture.ts'

const chat = '/v1/chat/completions'
const hi = { model: 'single', messages: [{ role: 'user', content: 'Hi' }] }

interface Case {
  name: string
  args?: string[]
  /** @param request the case's request.json, if it has one */
  check(url: string, request: Record<string, unknown>): Promise<void>
}

const cases: Case[] = [
  {
    name: 'empty-choices-chunk',
    check: async (url) => {
      const events = await readEvents(await post(url + chat, { ...hi, stream: true }))
      expect(events.at(-1)).toBe('[DONE]')
      for (const event of events.slice(0, -1)) expect(event).toMatchObject({ choices: [{}] })
    },
  },
  {
    name: 'null-fields-in-messages',
    check: async (url, request) => {
      expect((await post(url + chat, request)).status).toBe(200)
      const tools = [{ type: 'function', function: { name: 'look', parameters: null } }]
      expect((await post(url + chat, { ...hi, tools, aft: null })).status).toBe(200)
    },
  },
  {
    name: 'responses-item-reference',
    check: async (url, request) => {
      const unknown = await post(`${url}/v1/responses`, request)
      expect([unknown.status, await unknown.text()]).toEqual([
        400,
        expect.stringContaining('send items whole'),
      ])
      const first = await (await post(`${url}/v1/responses`, { model: 'single', input: 'Hi' })).json()
      const { id } = (first as { output: { id: string }[] }).output[0] as { id: string }
      const input = (request.input as { id?: string }[]).map((item) => (item.id ? { ...item, id } : item))
      expect((await post(`${url}/v1/responses`, { ...request, input })).status).toBe(200)
    },
  },
  {
    name: 'cors-preflight',
    args: ['--allow-origin', 'app://obsidian.md'],
    check: async (url) => {
      const origin = 'app://obsidian.md'
      const asked = {
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type,x-stainless-os',
      }
      const preflight = await fetch(url + chat, { method: 'OPTIONS', headers: { origin, ...asked } })
      expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([204, origin])
      expect(preflight.headers.get('access-control-allow-headers')).toContain('x-stainless-os')
      const answer = await post(url + chat, hi, { origin })
      expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([200, origin])
    },
  },
  {
    name: 'max-tokens-of-clients',
    check: async (url) => {
      for (const max_tokens of [-1, 64_000]) {
        const answer = await post(url + chat, { ...hi, max_tokens })
        const warnings = [expect.stringContaining(`max_tokens: ${max_tokens} counts as`)]
        expect([answer.status, await answer.json()]).toMatchObject([200, { aft: { warnings } }])
      }
    },
  },
]

/** The engine is the scripted one of the README, and a server that gets what the client's server sends. */
describe.skipIf(!hasCases).each(['scripted:echo', 'a server'])('with %s', (model) => {
  test.each(cases)('$name', async ({ name, args = [], check }) => {
    const upstream = await startChatServer(scriptedEngine(echo))
    onTestFinished(() => upstream.close())
    const engine = model === 'a server' ? `${upstream.baseURL}#m` : model
    await check(await serve(['--model', engine, ...args]), readRequest(name))
    for (const { messages } of upstream.bodies) {
      for (const message of messages) expect(Object.entries(message).filter(isOdd)).toEqual([])
    }
  })
})

/** Only an assistant that calls tools has no content; everything else is left out where there is nothing. */
const isOdd = ([field, value]: [string, unknown]) => value === null && field !== 'content'
