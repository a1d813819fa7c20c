import { describe, expect, test } from 'vitest'
import { echo, scriptedEngine } from '../../engines/scripted/scripted.ts'
import { startServer, user } from './server.fixture.ts'
import { createServer, type ServerOptions } from './server.ts'

const page = 'app://obsidian.md'
const question = { model: 'single', messages: user('Hi') }
const start = (options: Partial<ServerOptions> = {}) => startServer(scriptedEngine(echo), options)
const preflight = (url: string, origin: string, more: Record<string, string> = {}) =>
  fetch(`${url}/v1/chat/completions`, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type,x-stainless-os',
      ...more,
    },
  })
const allowed = (response: Response) => response.headers.get('access-control-allow-origin')

describe('a page of another origin', () => {
  test('is not answered by default', async () => {
    const { url, post } = await start()
    const response = await preflight(url, page)
    expect([response.status, allowed(response)]).toEqual([404, null])
    expect(allowed(await post(question, { headers: { origin: page } }))).toBe(null)
  })

  test('that the operator names may ask first, with the headers that it will send and without a key', async () => {
    const { url } = await start({ allowOrigin: [page], keys: { me: 'sk-of-mine' } })
    const response = await preflight(url, page, { 'access-control-request-private-network': 'true' })
    expect(response.status).toBe(204)
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'access-control-allow-origin': page,
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'GET, POST, OPTIONS',
      'access-control-allow-headers': 'authorization,content-type,x-stainless-os',
      'access-control-allow-private-network': 'true',
    })
    expect(response.headers.get('vary')).toContain('origin')
  })

  test.each([
    ['an answer', question, 200],
    ['a stream', { ...question, stream: true }, 200],
    ['a refusal', { ...question, model: 'gpt-5' }, 404],
  ])('can read %s', async (_, body, status) => {
    const { post } = await start({ allowOrigin: ['https://other.example', page] })
    const response = await post(body, { headers: { origin: page } })
    expect([response.status, allowed(response)]).toEqual([status, page])
    expect(response.headers.get('access-control-expose-headers')).toContain('x-aft-ignored')
    expect(response.headers.get('vary')).toContain('origin')
    await response.text()
  })

  test('can read that its key is wrong', async () => {
    const { post } = await start({ allowOrigin: [page], keys: { me: 'sk-of-mine' } })
    const response = await post(question, { headers: { origin: page } })
    expect([response.status, allowed(response)]).toEqual([401, page])
  })

  test('that is not named is refused, if it asks first', async () => {
    const { url, post } = await start({ allowOrigin: [page] })
    const response = await preflight(url, 'https://obsidian.md')
    expect([response.status, allowed(response)]).toEqual([403, null])
    expect(await response.text()).toContain('--allow-origin')
    expect(allowed(await post(question, { headers: { origin: 'https://obsidian.md' } }))).toBe(null)
  })

  test('is answered without credentials if every origin is allowed', async () => {
    const { url } = await start({ allowOrigin: ['*'] })
    const response = await preflight(url, 'https://anywhere.example')
    expect([response.status, allowed(response)]).toEqual([204, '*'])
    expect(response.headers.has('access-control-allow-credentials')).toBe(false)
  })
})

describe('the origins of an operator', () => {
  const engines = { one: scriptedEngine(echo) }
  test.each([
    ['a path', 'https://chat.example/app'],
    ['a bare name', 'chat.example'],
    ['a list in one word', 'https://a.example,https://b.example'],
    ['null, which every sandboxed page has', 'null'],
  ])('are refused with %s', (_, origin) => {
    expect(() => createServer({ engines, allowOrigin: [origin] })).toThrow(/expected an origin such as/)
  })

  test('may be every origin on a server with keys only if that is meant', async () => {
    const keys = { me: 'sk-of-mine' }
    expect(() => createServer({ engines, allowOrigin: ['*'], keys })).toThrow('add --any-origin')
    expect(() => createServer({ engines, keys, anyOrigin: true })).toThrow(
      "--any-origin is for --allow-origin '*'",
    )
    const { url } = await start({ allowOrigin: ['*'], keys, anyOrigin: true })
    expect((await preflight(url, 'https://anywhere.example')).status).toBe(204)
  })

  test('are the same with a slash at the end and in capitals', async () => {
    const { url } = await start({ allowOrigin: ['https://Chat.Example/'] })
    expect((await preflight(url, 'https://chat.example')).status).toBe(204)
  })
})
