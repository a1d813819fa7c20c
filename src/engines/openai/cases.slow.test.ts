/**
 * Odd servers that users met, each with a stub in `../shared/cases/serve/NAME`: what `aft ask` and `aft serve` make of
 * them. A row per case; `vitest run --mode slow src/engines/openai/cases.slow.test.ts -t NAME` runs one.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { aft } from '../../../test/command-line.ts'
import { errorFromStatus } from '../upstream-error.ts'

const root = path.join(import.meta.dirname, '../../..')
const cases = path.join(root, '../shared/cases/serve')
const file = (name: string, of: string) => path.join(cases, name, of)

/** What is expected of a case: `ask` is the JSON of `aft ask --json`, `serve` the message of a chat completion. */
interface Expected {
  ask?: object
  /** What stderr says, for an `aft ask` that must fail. */
  fails?: RegExp
  serve?: object
  /** The most requests that the stub may get; the first refusals of a process included. */
  requests?: number
}

const hello = { answer: 'Hello world', finishReason: 'stop', degraded: false }
const call = (name: string, args: string) => ({ type: 'function', function: { name, arguments: args } })
const oslo = call('get_weather', '{"city":"Oslo"}')

const expected: Record<string, Expected> = {
  'blank-system-message': { ask: { ...hello, warnings: [expect.stringContaining('blank system message')] } },
  'content-parts-magistral': { ask: { ...hello, answer: 'The answer is 42.' }, requests: 3 },
  'event-error-without-key': { fails: /The model is overloaded, ask later/ },
  'finish-reason-in-every-chunk': { ask: hello, requests: 3 },
  'finish-reason-network-error': { fails: /the server ended it with "network_error"/ },
  'llama-server-error-field': { fails: /exceeds the available context size/, requests: 2 },
  'no-finish-reason-but-done': { ask: hello, requests: 3 },
  'reasoning-model-temperature': { ask: hello, requests: 3 },
  'seed-refused-mistral': { ask: { ...hello, warnings: [expect.stringContaining('refuses `seed`')] } },
  'sse-labelled-json': { ask: hello, requests: 3 },
  'sse-multi-line-data': { ask: hello, requests: 3 },
  'system-role-refused': { ask: { ...hello, warnings: [expect.stringContaining('system messages')] } },
  'think-tags-of-magistral': { ask: hello, requests: 3 },
  'thinking-spends-the-limit': { fails: /#m: .*limit was spent on thinking.*--max-tokens/ },
  'tool-arguments-object': { serve: { tool_calls: [oslo] } },
  'tool-calls-same-index': { serve: { tool_calls: [oslo, call('get_time', '{"tz":"UTC"}')] } },
  'tool-history-without-tools': { serve: { content: 'Hello world' } },
  'tool-name-repeated': { serve: { tool_calls: [oslo] } },
}

describe.skipIf(!existsSync(cases))('cases (needs ../shared/cases/serve)', () => {
  test.each(Object.entries(expected))(
    '%s',
    { timeout: 60_000 },
    async (name, { ask, fails, serve, requests = Infinity }) => {
      const stub = await startStub(name)
      if (serve) expect(await serveOne(stub.model, name)).toMatchObject(serve)
      else {
        const size = ['--width', '2', '--depth', '1', '--max-retries', '2', '--json']
        const { code, stdout, stderr } = await aft(['ask', 'Hi', '--model', stub.model, ...size])
        if (fails) expect(stderr).toMatch(fails)
        expect(code, stderr).toBe(fails ? 1 : 0)
        if (ask) expect(JSON.parse(stdout)).toMatchObject(ask)
      }
      expect(stub.bodies().length).toBeLessThanOrEqual(requests)
    },
  )

  test('overflow-wordings', () => {
    const wordings: { who: string; status: number; message: string; overflow?: boolean }[] = JSON.parse(
      readFileSync(file('overflow-wordings', 'wordings.json'), 'utf8'),
    )
    const wrong = wordings.filter(({ status, message, overflow = true }) => {
      return (errorFromStatus('e', status, message).kind === 'context-overflow') !== overflow
    })
    expect(wrong).toEqual([])
  })
})

/** Runs a case's stub on a free port. It prints each body that it gets. */
async function startStub(name: string): Promise<{ model: string; bodies: () => string[] }> {
  const port = await findPort()
  const child = start([file(name, 'stub.mjs'), String(port)])
  let printed = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    printed += text
  })
  const address = `http://127.0.0.1:${port}`
  await expect
    .poll(() =>
      fetch(address, { method: 'POST', body: '{"messages":[]}' }).then(
        () => true,
        () => false,
      ),
    )
    .toBe(true)
  const begin = printed.length
  return { model: `${address}/v1#m`, bodies: () => printed.slice(begin).split('\n').filter(Boolean) }
}

async function findPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

function start(args: string[]): ChildProcess {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

/** The message that `aft serve` answers to the case's request. */
async function serveOne(model: string, name: string): Promise<unknown> {
  const size = ['--width', '2', '--depth', '1', '--max-retries', '2', '--port', '0']
  const child = start([path.join(root, 'bin/aft.js'), 'serve', '--model', model, ...size])
  const [line] = await once(child.stdout?.setEncoding('utf8') as NonNullable<typeof child.stdout>, 'data')
  const response = await fetch(`${String(line).trim()}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: readFileSync(file(name, 'request.json'), 'utf8'),
  })
  const { choices } = (await response.json()) as { choices?: { message: unknown }[] }
  return choices?.[0]?.message
}
