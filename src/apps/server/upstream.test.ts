/** What clients get when an upstream server fails, over real connections. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { choice, type Fault, send, startChatServer } from '../../../test/chat-server.ts'
import { openOpenAI } from '../../engines/openai/openai.ts'
import { echo, scriptedEngine } from '../../engines/scripted/scripted.ts'
import { readEvents, startServer, user } from './server.fixture.ts'

const bin = path.join(import.meta.dirname, '../../../bin/aft.js')
const question = { model: 'single', messages: user('Why is the sky blue?'), max_tokens: 50 }
const open = (baseURL: string, more: { timeoutMs?: number; maxRetries?: number } = {}) =>
  openOpenAI({
    baseURL,
    model: 'm',
    apiKey: 'sk-secret-of-the-house',
    maxRetries: 1,
    timeoutMs: 300,
    ...more,
  })

/** Starts an upstream with a fault, and a server in front of it. */
async function start(fault: Fault) {
  const upstream = await startChatServer(scriptedEngine(echo), fault)
  onTestFinished(() => upstream.close())
  return { upstream, ...(await startServer(open(upstream.baseURL))) }
}

const status =
  (code: number, message = 'no', headers: Record<string, string> = {}): Fault =>
  (response) => {
    response.writeHead(code, { 'content-type': 'application/json', ...headers })
    return Boolean(response.end(JSON.stringify({ error: { message } })))
  }
const body =
  (text: string | Uint8Array, type = 'text/event-stream'): Fault =>
  (response) =>
    Boolean(response.writeHead(200, { 'content-type': type }).end(text))
const hang: Fault = () => true
const half: Fault = (response) => {
  void send(response, choice({ content: 'Half an answer' })).then(() => response.end())
  return true
}
const stall: Fault = (response) => {
  void send(response, choice({ content: 'Half an answer' }))
  return true
}

describe('an upstream that', () => {
  const faults: [string, Fault, number, string, number][] = [
    ['says nothing', hang, 504, 'upstream_timeout', 2],
    ['stops in the middle', stall, 504, 'upstream_timeout', 2],
    ['answers 429', status(429, 'slow down', { 'retry-after': '0' }), 429, 'upstream_rate_limit', 2],
    ['answers 500', status(500), 502, 'upstream_server', 2],
    ['answers 401', status(401, 'sk-secret-of-the-house is wrong'), 502, 'upstream_auth', 1],
    ['answers 404', status(404, 'no such model'), 502, 'upstream_not_found', 1],
    ['finds the prompt too long', status(400, 'context length exceeded'), 400, 'context_length_exceeded', 1],
    ['answers a web page', body('<html>', 'text/html'), 502, 'upstream_not_found', 1],
    ['answers nothing', body(''), 502, 'upstream_server', 2],
    ['answers broken JSON', body('data: {"choices": [{"del\n\n'), 502, 'upstream_server', 2],
    ['answers bytes', body(new Uint8Array([0xff, 0, 0xfe, 10, 10])), 502, 'upstream_server', 2],
    ['answers half a stream', half, 502, 'upstream_server', 2],
  ]

  test.each(faults)('%s gives the client the right error', async (_, fault, code, name, attempts) => {
    const { post, upstream, url } = await start(fault)
    const response = await post(question)
    expect(response.status).toBe(code)
    const text = await response.text()
    expect(JSON.parse(text)).toMatchObject({ error: { code: name, type: expect.any(String) } })
    expect(text).not.toContain('sk-secret')
    expect(text).not.toContain(upstream.baseURL)
    expect(response.headers.get('x-should-retry')).toBe('false')
    expect(response.headers.has('retry-after')).toBe(code === 429)
    expect(upstream.bodies.length).toBe(attempts)
    expect((await fetch(`${url}/health`)).status).toBe(200)
    await expect.poll(() => upstream.open()).toBe(0)
  })

  /** In a stream, a stall after sent text is not retried; it counts as a broken answer. */
  const inStream = faults.map(([what, fault, code, name]) =>
    fault === stall ? ([what, fault, 502, 'upstream_server'] as const) : ([what, fault, code, name] as const),
  )

  test.each(inStream)('%s ends a stream with an error event', async (_, fault, code, name) => {
    const { post, upstream } = await start(fault)
    const response = await post({ ...question, stream: true })
    expect(response.status).toBe(200)
    const events = await readEvents(response)
    expect(events.at(-1)).toMatchObject({ error: { code: name, status: code } })
    expect(JSON.stringify(events)).not.toMatch(/"finish_reason":"|DONE|sk-secret/)
    await expect.poll(() => upstream.open()).toBe(0)
  })

  test('fails once is asked again, and the client does not notice', async () => {
    const { post, upstream } = await start(
      (response, b, request) => request === 1 && status(500)(response, b, 1),
    )
    const answer = await (await post(question)).json()
    expect(answer).toMatchObject({ choices: [{ finish_reason: 'stop' }], aft: { degraded: false } })
    expect(upstream.bodies.length).toBe(2)
  })

  test('is told in the log, once per answer, and to the page without addresses', async () => {
    const upstream = await startChatServer(scriptedEngine(echo), (response, _, request) =>
      request <= 2 ? status(503, 'busy', { 'retry-after-ms': '1' })(response, _, 1) : false,
    )
    onTestFinished(() => upstream.close())
    const log: string[] = []
    const { url, post } = await startServer(open(upstream.baseURL, { maxRetries: 3 }), {
      log: (line) => log.push(line),
    })
    const body = { ...question, model: 'aft-fast', aft: { width: 2 } }
    expect((await post(body)).status).toBe(200)
    expect(log).toEqual([
      expect.stringMatching(/^chatcmpl-[\w-]+ one is asked again in 1 s \(server, attempt 2\): 503/),
    ])
    upstream.bodies.length = 0
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(`${url}/v1/aft`, { method: 'POST', headers, body: JSON.stringify(body) })
    const events = await readEvents(response)
    const waits = events.filter((event) => event !== '[DONE]' && event.type === 'completion-waiting')
    expect(waits[0]).toMatchObject({
      layer: 0,
      engine: 'one',
      kind: 'server',
      attempt: 2,
      reason: '503: busy',
    })
    expect(JSON.stringify(waits)).not.toContain('127.0.0.1')
    expect(log).toHaveLength(2)
  })

  test('breaks off after text was sent to the client is not asked again', async () => {
    const { post, upstream } = await start(half)
    await (await post({ ...question, stream: true })).text()
    expect(upstream.bodies.length).toBe(1)
  })

  test('hangs is left out by a layer with a time cap, and the answer says so', async () => {
    const slow = await startChatServer(scriptedEngine(echo), hang)
    onTestFinished(() => slow.close())
    const engines = { slow: open(slow.baseURL, { timeoutMs: 60_000 }), good: scriptedEngine(echo) }
    const { post } = await startServer(engines.good, { engines })
    const aft = { proposers: ['good', 'slow'], aggregators: ['good'], width: 2, quorum: 1, graceMs: 50 }
    const response = await post({ ...question, model: 'aft-fast', aft })
    expect(await response.json()).toMatchObject({
      choices: [{ finish_reason: 'stop' }],
      aft: { degraded: true, layers: [{ failures: [{ engine: 'slow', error: { kind: 'straggler' } }] }, {}] },
    })
    await expect.poll(() => slow.open()).toBe(0)
  })
})

describe('an upstream process that is killed', () => {
  /** An `aft serve` in a separate process whose answer takes ten seconds. */
  async function spawnUpstream(): Promise<{ baseURL: string; child: ChildProcess }> {
    const script = path.join(mkdtempSync(path.join(tmpdir(), 'upstream-')), 'slow.json')
    writeFileSync(script, JSON.stringify([{ replies: [{ text: 'word '.repeat(100), delayMs: 100 }] }]))
    const args = [bin, 'serve', '--model', `scripted:${script}`, '--port', '0']
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    onTestFinished(() => void child.kill('SIGKILL'))
    const [line] = await once(child.stdout.setEncoding('utf8'), 'data')
    return { baseURL: `${line.trim()}/v1`, child }
  }

  test('in the middle of its answer ends the stream with an error, and the next request with a 502', async () => {
    const { baseURL, child } = await spawnUpstream()
    const engine = openOpenAI({ baseURL, model: 'single', maxRetries: 1 })
    const { post } = await startServer(engine)
    const response = await post({ ...question, stream: true })
    const reader = (response.body as ReadableStream<Uint8Array>)
      .pipeThrough(new TextDecoderStream())
      .getReader()
    let text = ''
    while (!text.includes('word')) text += (await reader.read()).value
    child.kill('SIGKILL')
    for (let read = await reader.read(); !read.done; read = await reader.read()) text += read.value
    expect(text.trim().split('\n').at(-1)).toMatch(/^data: {"error":.*"code":"upstream_server"/)
    expect(text).not.toMatch(/"finish_reason":"|DONE/)
    const next = await post(question)
    expect(next.status).toBe(502)
    expect(await next.json()).toMatchObject({ error: { code: 'upstream_unreachable' } })
  })

  test('among the proposers is left out of the answer', async () => {
    const { baseURL, child } = await spawnUpstream()
    const engines = {
      dead: openOpenAI({ baseURL, model: 'single', maxRetries: 1 }),
      good: scriptedEngine(echo),
    }
    const { post } = await startServer(engines.good, { engines })
    const aft = { proposers: ['good', 'dead'], aggregators: ['good'], width: 2 }
    const answer = post({ ...question, model: 'aft-fast', aft })
    setTimeout(() => child.kill('SIGKILL'), 300)
    expect(await (await answer).json()).toMatchObject({
      choices: [{ finish_reason: 'stop' }],
      aft: {
        degraded: true,
        layers: [{ failures: [{ engine: 'dead', error: { kind: 'unreachable' } }] }, {}],
      },
    })
  })
})

describe('a client that disconnects', () => {
  test.each([true, false])('closes every connection upstream at once (stream: %s)', async (stream) => {
    const { post, upstream } = await start(stall)
    const leave = new AbortController()
    const response = post({ ...question, model: 'aft', stream, aft: { width: 5 } }, { signal: leave.signal })
    response.catch(() => {})
    await expect.poll(() => upstream.open()).toBeGreaterThan(0)
    if (stream) await response
    leave.abort()
    await expect.poll(() => upstream.open()).toBe(0)
  })
})
