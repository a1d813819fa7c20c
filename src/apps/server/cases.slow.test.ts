/** Cases of clients that could not use the server: each folder holds what was sent, and a README with what should come. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startChatServer } from '../../../test/chat-server.ts'
import { echo, scriptedEngine } from '../../engines/scripted/scripted.ts'
import { readEvents } from './server.fixture.ts'

const root = path.join(import.meta.dirname, '../../..')
const folder = path.join(root, '../shared/cases/serve')
const chat = '/v1/chat/completions'
const hi = { model: 'single', messages: [{ role: 'user', content: 'Hi' }] }

/** Starts `aft serve` as the README of a case does; returns its address. */
async function serve(args: string[]): Promise<string> {
  const bin = path.join(root, 'bin/aft.js')
  const cwd = mkdtempSync(path.join(tmpdir(), 'cases-'))
  const child = spawn(process.execPath, [bin, 'serve', '--port', '0', ...args], {
    cwd,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const [line] = await once(child.stdout.setEncoding('utf8'), 'data')
  return line.trim()
}

const post = (url: string, body: object, headers: Record<string, string> = {}) =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })

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

test.each(cases)('$name', async ({ name, args = [], check }) => {
  if (!existsSync(folder)) return console.log(`skipped: ${folder} is missing`)
  const file = path.join(folder, name, 'request.json')
  const request = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
  await check(await serve(['--model', 'scripted:echo', ...args]), request)
})

test('dropped-request-fields', async () => {
  if (!existsSync(folder)) return console.log(`skipped: ${folder} is missing`)
  const upstream = await startChatServer(scriptedEngine(echo))
  onTestFinished(() => upstream.close())
  const url = await serve(['--model', `${upstream.baseURL}#m`])
  const file = path.join(folder, 'dropped-request-fields', 'request.json')
  const response = await post(url + chat, JSON.parse(readFileSync(file, 'utf8')))
  expect([response.status, response.headers.get('x-aft-ignored')]).toEqual([200, null])
  expect(upstream.bodies.length).toBeGreaterThan(1)
  for (const body of upstream.bodies) expect(body.reasoning_effort).toBe('low')
  expect(upstream.bodies.at(-1)).toMatchObject({ parallel_tool_calls: false, tools: [{}, {}] })
})
