/** What a client without a key, or one that leaves, can make the server remember or print. */
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import { scriptedEngine } from '../../engines/scripted/scripted.ts'
import { startServer } from './server.fixture.ts'

const engine = () => scriptedEngine([{ replies: ['One.'] }])
const metricsOf = async (url: string, headers = {}) => (await fetch(`${url}/metrics`, { headers })).text()

test('a path that a client makes up is no label of the metrics', async () => {
  const { url } = await startServer(engine(), { keys: { a: 'a-long-key-of-a-client' } })
  const path = '/v1/x%22%7D%201%0Aaft_hacked_total%7Bby%3D%22me'
  expect((await fetch(url + path)).status).toBe(401)
  const refused = await fetch(`${url}/v1/zzz%0Ainjected`, { method: 'POST', body: 'x'.repeat(9 << 20) })
  expect([401, 413]).toContain(refused.status)
  const text = await metricsOf(url, { authorization: 'Bearer a-long-key-of-a-client' })
  expect(text).toContain('aft_requests_total{endpoint="other",status="401"}')
  expect(text).not.toMatch(/hacked|injected|%0A/)
})

test('a client that leaves within its body is a 499 in the metrics and no line in the log', async () => {
  const log = vi.spyOn(console, 'error').mockImplementation(() => {})
  const { url } = await startServer(engine())
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: ${hostname}\r\ncontent-type: application/json\r\ncontent-length: 999\r\n\r\n{"mod`
  await new Promise<void>((resolve) => socket.write(head, () => resolve()))
  await delay(50)
  socket.destroy()
  let text = ''
  for (let i = 0; i < 100 && !text.includes('chat/completions'); i++) {
    await delay(20)
    text = await metricsOf(url)
  }
  expect(text).toContain('aft_requests_total{endpoint="/v1/chat/completions",status="499"} 1')
  expect(log.mock.calls.flat().join('\n')).not.toContain('Error')
  log.mockRestore()
})

test('a page of another origin reads nothing of the page, and its forms send nothing', async () => {
  const { url } = await startServer(engine(), { ratings: '/dev/null', fixes: '/dev/null' })
  const headers = { origin: 'https://elsewhere.example' }
  for (const path of ['/', '/page/export.html', '/page/demo.jsonl', '/v1/aft']) {
    const reply = await fetch(url + path, { headers })
    expect([path, reply.headers.get('access-control-allow-origin')]).toEqual([path, null])
  }
  for (const path of ['estimate', 'ratings', 'fixes']) {
    const type = { ...headers, 'content-type': 'text/plain' }
    const sent = await fetch(`${url}/v1/aft/${path}`, { method: 'POST', headers: type, body: '{}' })
    expect([path, sent.status]).toEqual([path, 415])
    const asked = { ...headers, 'access-control-request-method': 'POST' }
    const preflight = await fetch(`${url}/v1/aft/${path}`, { method: 'OPTIONS', headers: asked })
    expect([path, preflight.headers.get('access-control-allow-origin')]).toEqual([path, null])
  }
})
