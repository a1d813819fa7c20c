/** Counts in Redis, with a Redis whose answers are scripted. The scripts themselves run in the slow test. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { pretendRedis } from '../../../test/queue-parts.ts'
import { UsageError } from '../../core/provider/errors.ts'
import { scriptedEngine } from '../../engines/scripted/scripted.ts'
import type { OpenRequest } from './counts.ts'
import { type Call, connectUsage, createRedisCounts } from './redis-counts.ts'
import { startServer, user } from './server.fixture.ts'
import { createServer } from './server.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
})
afterEach(() => {
  vi.useRealTimers()
})

const FRESH = [1, 1_000_000, 0, 0, 1, 0, 0]
const request = (id = 'i', client = 'team'): OpenRequest => ({ id, client, tokens: 0, cost: 0 })

/** Counts whose Redis gives these answers, the last one for all further calls. */
function make(...answers: unknown[]) {
  const calls: { script: string; key: string; args: (string | number)[] }[] = []
  const log: string[] = []
  const call: Call = async (script, key, args) => {
    calls.push({ script, key, args })
    const answer = answers.length > 1 ? answers.shift() : answers[0]
    if (answer instanceof Error) throw answer
    return answer
  }
  const counts = createRedisCounts(call, (line) => log.push(line))
  const said = () => calls.splice(0).map(({ script, args }) => [script, ...args].join(' '))
  return { calls, log, counts, said, answers }
}

test('whole numbers go to Redis, and no name', async () => {
  const { counts, calls, said } = make(FRESH)
  const one = request()
  const limits = { tokensPerMinute: 9, costPerDay: 0.5, running: 2 }
  await counts.begin(one, limits)
  await counts.reserve(one, limits, { tokens: 7.5, cost: 0.000_000_001_5 })
  await counts.settle(one, { tokens: 3, cost: 0.25 })
  expect(JSON.stringify(calls)).not.toContain('team')
  expect(new Set(calls.map(({ key }) => key)).size).toBe(1)
  expect(said()).toEqual([
    'take i 0 0 1 9 -1 500000000 2 -1',
    'take i 8 2 0 9 -1 500000000 2 -1',
    'settle i 3 250000000',
  ])
})

test('what Redis answers becomes what was used, and the limit that is reached', async () => {
  const { counts } = make([0, 120, 50, 500_000_000, 2, 8, 0, 61, 3, 0, 119, 1, 40])
  expect(await counts.begin(request(), { requestsPerMinute: 4 })).toEqual({
    used: {
      second: 120,
      minute: [
        [61, 3, 0],
        [119, 1, 40],
      ],
      day: { tokens: 50, cost: 0.5 },
      open: { requests: 2, tokens: 8, cost: 0 },
    },
    reached: { what: '4 requests per minute', seconds: 1 },
  })
})

test('what runs is held every few seconds, by client, and what has ended is not', async () => {
  const { counts, said } = make(FRESH)
  const [a, b, c] = [request('a'), request('b'), request('c', 'other')]
  for (const one of [a, b, c]) await counts.begin(one, {})
  await counts.reserve(a, {}, { tokens: 5, cost: 0 })
  said()
  vi.advanceTimersByTime(5_000)
  expect(said()).toEqual(['hold a 5 0 b 0 0', 'hold c 0 0'])
  await counts.settle(a, { tokens: 1, cost: 0 })
  await counts.settle(c, { tokens: 1, cost: 0 })
  said()
  vi.advanceTimersByTime(5_000)
  expect(said()).toEqual(['hold b 0 0'])
  await counts.close()
  vi.advanceTimersByTime(60_000)
  expect(said()).toEqual([])
})

test('a request that Redis does not count is refused with a 503; that is logged once, until the next success', async () => {
  const gone = new Error('it is lost')
  const { counts, log, said, answers } = make(gone)
  for (const id of ['i', 'j']) {
    await expect(counts.begin(request(id), {})).rejects.toMatchObject({
      status: 503,
      code: 'usage_unavailable',
      headers: { 'retry-after': '5' },
    })
  }
  expect(log).toEqual([expect.stringContaining('it is lost')])
  // Only the answer may have been lost, so it is ended.
  expect(said().filter((line) => line.startsWith('settle'))).toEqual(['settle i 0 0', 'settle j 0 0'])
  answers[0] = FRESH
  await counts.begin(request(), {})
  answers[0] = 'no numbers'
  await expect(counts.begin(request(), {})).rejects.toMatchObject({ status: 503 })
  expect(log.length).toBe(2)
})

test('what a request took is counted when Redis is back, and once', async () => {
  const { counts, said, answers } = make(FRESH)
  const one = request()
  await counts.begin(one, {})
  answers[0] = new Error('it is lost')
  expect(await counts.settle(one, { tokens: 3, cost: 0 })).toBe(undefined)
  await vi.advanceTimersByTimeAsync(5_000)
  answers[0] = FRESH
  said()
  await vi.advanceTimersByTimeAsync(5_000)
  expect(said()).toEqual(['settle i 3 0'])
  await vi.advanceTimersByTimeAsync(5_000)
  expect(said()).toEqual([])
})

test('a server that ends tries a last time, and says what it could not count', async () => {
  const { counts, log, said } = make(FRESH, new Error('it is lost'))
  const one = request()
  await counts.begin(one, {})
  void counts.settle(one, { tokens: 3, cost: 0 })
  await counts.close()
  expect(said()).toEqual(['take i 0 0 1 -1 -1 -1 -1 -1', 'settle i 3 0', 'settle i 3 0'])
  expect(log.at(-1)).toContain('what 1 requests took is not counted')
})

test('a server whose Redis is gone answers 503, and lists its models', async () => {
  const { counts } = make(new Error('it is lost'))
  const options = { usageStore: counts, clientLimits: { running: 1 } }
  const { post, url } = await startServer(scriptedEngine([{ replies: ['Nile.'] }]), options)
  const refused = await post({ model: 'single', messages: user('Name a river.') })
  expect(refused.status).toBe(503)
  expect(await refused.json()).toMatchObject({ error: { type: 'server_error', code: 'usage_unavailable' } })
  expect((await fetch(`${url}/v1/models`)).status).toBe(200)
})

test('a Redis that is too old is refused; one that may lose counts is warned about', async () => {
  const old = await pretendRedis('redis_version:6.0.16\r\n')
  await expect(connectUsage(old.url)).rejects.toThrow('expected Redis 6.2 or newer, or Valkey, got 6.0.16')
  old.server.close()
  const log: string[] = []
  const info = 'redis_version:7.2.0\r\nmaxmemory_policy:allkeys-lru\r\naof_enabled:0\r\n'
  const cache = await pretendRedis(info)
  const counts = await connectUsage(cache.url, { log: (line) => log.push(line) })
  await counts.close()
  cache.server.close()
  expect(log).toEqual([
    expect.stringContaining('its maxmemory-policy is allkeys-lru'),
    expect.stringContaining('no append-only file'),
  ])
})

test('createServer says how an address is given, and the new name of `usageFile`', () => {
  const engines = { one: scriptedEngine([]) }
  expect(() => createServer({ engines, usageStore: 'redis://h:1/0' })).toThrow('await connectUsage(address)')
  const old = { engines, usageFile: 'usage.json' }
  expect(() => createServer(old)).toThrow(new UsageError('usageFile: use usageStore'))
})
