/** Several servers as one engine. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import type { CompletionRequest } from '../../core/provider/engine.ts'
import { openEngine } from '../open.ts'
import { type Answer, collect, delta, finish, say, startFixture, toRequest, usage } from './openai.fixture.ts'
import { type OpenAIOptions, openOpenAI } from './openai.ts'

async function openAll(answers: Answer[][], options: Partial<OpenAIOptions> = {}) {
  const servers = await Promise.all(answers.map((own) => startFixture(...own)))
  const engine = openOpenAI({ model: 'm', baseURL: servers.map(({ baseURL }) => baseURL), ...options })
  onTestFinished(() => Promise.all([engine, ...servers].map((each) => each.close?.())).then(() => {}))
  return { servers, engine }
}
const ask = (content: string): Partial<CompletionRequest> => ({ messages: [{ role: 'user', content }] })
const counts = (servers: { asked: unknown[] }[]) => servers.map(({ asked }) => asked.length)

/** An address where nothing listens. */
async function nowhere(): Promise<string> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return `http://127.0.0.1:${port}/v1`
}

test('requests at the same time go to the server with the least to do', async () => {
  let release = () => {}
  const held = new Promise<void>((resolve) => (release = resolve))
  const slow: Answer = async (asked) => {
    await held
    asked.send(delta(0, 'yes'), finish(0), usage(1, 1))
    asked.done()
  }
  const { servers, engine } = await openAll([[slow], [slow], [slow]])
  const all = Array.from({ length: 9 }, () => collect(engine, ask('the same')))
  await expect.poll(() => counts(servers)).toEqual([3, 3, 3])
  release()
  expect((await Promise.all(all)).every(({ ends }) => ends[0]?.text === 'yes')).toBe(true)
})

test('one after the other, a prompt meets the server that has read it, and prompts are spread', async () => {
  const { servers, engine } = await openAll([[say('a')], [say('b')], [say('c')]])
  for (let i = 0; i < 5; i++) await collect(engine, ask('the same'))
  expect(counts(servers).toSorted()).toEqual([0, 0, 5])
  for (let i = 0; i < 30; i++) await collect(engine, ask(`prompt ${i}`))
  expect(Math.min(...counts(servers))).toBeGreaterThan(2)
})

test('when one is gone, or fails, another answers at once, and it is told', async () => {
  const { servers, engine } = await openAll([[(asked) => asked.refuse(500, 'no')], [say('yes')]])
  const texts: (string | undefined)[] = []
  for (let i = 0; i < 8; i++) {
    const { ends, events } = await collect(engine, ask(`prompt ${i}`))
    texts.push(ends[0]?.text)
    const waits = events.filter(({ type }) => type === 'completion-waiting')
    for (const wait of waits) expect(wait).toMatchObject({ ms: 0, kind: 'server', attempt: 2 })
  }
  expect(new Set(texts)).toEqual(new Set(['yes']))
  expect(servers[0]?.asked.length).toBeGreaterThan(0)
  const gone = openOpenAI({ model: 'm', baseURL: [await nowhere(), servers[1]?.baseURL as string] })
  for (let i = 0; i < 4; i++) expect((await collect(gone, ask(`prompt ${i}`))).ends[0]?.text).toBe('yes')
})

test('a text that broke off is taken back, and its other samples stay', async () => {
  const half: Answer = (asked) => {
    if ((asked.body.n ?? 1) === 1) return whole(asked)
    asked.send(delta(0, 'whole'), finish(0), delta(1, 'half of'))
    setTimeout(() => asked.response.destroy(), 30)
  }
  const whole: Answer = (asked) => {
    asked.send(delta(0, 'new'), finish(0), usage(1, 1))
    asked.done()
  }
  const { servers, engine } = await openAll([[half], [half]])
  const { ends, events } = await collect(engine, { ...ask('x'), n: 2, seeds: [5, 6] })
  expect(ends.map(({ text }) => text)).toEqual(['whole', 'new'])
  expect(events.some((event) => event.type === 'completion-restarted' && event.index === 1)).toBe(true)
  const second = servers.flatMap(({ asked }) => asked).find(({ body }) => (body.n ?? 1) === 1)
  expect(second?.body.seed).toBe(6)
})

test('a limit of one server is no delay while another answers; if all have one, it is waited for', async () => {
  const limited: Answer = (asked) => asked.refuse(429, 'slow down', { 'retry-after-ms': '300' })
  const started = performance.now()
  const { engine } = await openAll([[limited, say('late')], [say('yes')]])
  for (let i = 0; i < 6; i++) expect((await collect(engine, ask(`prompt ${i}`))).failures).toEqual([])
  const { engine: all } = await openAll([
    [limited, say('late')],
    [limited, say('late')],
  ])
  expect((await collect(all, ask('x'))).ends[0]?.text).toBe('late')
  expect(performance.now() - started).toBeGreaterThan(200)
})

test('what is about the request is not asked of another server, and attempts are counted', async () => {
  const { servers, engine } = await openAll([
    [(asked) => asked.refuse(401, 'no')],
    [(asked) => asked.refuse(401, 'no')],
  ])
  expect((await collect(engine, ask('x'))).failures[0]?.error.kind).toBe('auth')
  expect(counts(servers).toSorted()).toEqual([0, 1])
  const broken: Answer = (asked) => asked.refuse(500, 'no')
  const { servers: both, engine: failing } = await openAll([[broken], [broken]], { maxRetries: 2 })
  expect((await collect(failing, ask('x'))).failures[0]?.error.kind).toBe('server')
  expect(counts(both).reduce((a, b) => a + b)).toBe(3)
})

test('an abort ends all', async () => {
  const { engine } = await openAll([[() => {}], [() => {}]])
  const stop = new AbortController()
  const asked = collect(engine, { ...ask('x'), signal: stop.signal })
  setTimeout(() => stop.abort(), 20)
  expect((await asked).failures[0]?.error.kind).toBe('aborted')
})

test('servers are named by their addresses with commas, or as a list in a config, and the id names none', async () => {
  const servers = await Promise.all([startFixture(say('a')), startFixture(say('a'))])
  onTestFinished(() => Promise.all(servers.map(({ close }) => close())).then(() => {}))
  const [one, two] = servers.map(({ baseURL }) => baseURL) as [string, string]
  const config = { engines: { fleet: { model: 'm', baseURL: [one, two] } } }
  for (const engine of [await openEngine(`${one},${two}#m`), await openEngine('fleet', { config })]) {
    expect(engine.id).toBe('servers#m')
    expect((await collect(engine, ask('x'))).ends[0]?.text).toBe('a')
  }
  await expect(openEngine(`${one},https://#m`)).rejects.toThrow('or URL,URL#MODEL')
})

test('a session and a rank follow the start of the conversation', async () => {
  const { servers, engine } = await openAll([[say('a')]], { sessionId: true, dataParallelRanks: 4 })
  const more = [
    { role: 'assistant' as const, content: 'b' },
    { role: 'user' as const, content: 'c' },
  ]
  const start = { role: 'user' as const, content: 'x' }
  for (const messages of [[start], [start, ...more], [{ ...start, content: 'other' }]]) {
    await collect(engine, { messages })
  }
  const sent = servers[0]?.asked.map(({ headers }) => [
    headers['x-session-id'],
    headers['x-data-parallel-rank'],
  ])
  expect(sent?.[0]).toEqual(sent?.[1])
  expect(sent?.[0]?.[0]).not.toBe(sent?.[2]?.[0])
  expect(Number(sent?.[0]?.[1])).toBeLessThan(4)
  const { servers: plain, engine: without } = await openAll([[say('a')]])
  await collect(without, toRequest())
  expect(plain[0]?.asked[0]?.headers['x-session-id']).toBe(undefined)
})
