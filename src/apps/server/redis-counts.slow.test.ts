/** Counts in a real Redis, by real servers: Debian's redis-server, which the tests start and stop. */
import { hash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { hasRedis } from '../../../test/queue-parts.ts'
import { randomFrom } from '../../lib/random.ts'
import { type Counts, createCounts, type OpenRequest } from './counts.ts'
import type { ClientLimits } from './limits.ts'
import { type Farm, KEY, openFarm, type Serving } from './redis-counts.fixture.ts'
import { connectUsage } from './redis-counts.ts'

let farm: Farm
let redis: Redis
const opened: Counts[] = []
const keyOf = (client: string) => `aft:usage:{${hash('sha256', client)}}`

beforeEach(async () => {
  farm = await openFarm()
  redis = new Redis({ port: farm.port })
  redis.on('error', () => {})
})
afterEach(async () => {
  for (const counts of opened.splice(0)) await counts.close()
  redis.disconnect()
  await farm.end()
})

async function connect(log: string[] = []): Promise<Counts> {
  const counts = await connectUsage(`redis://127.0.0.1:${farm.port}/0`, { log: (line) => log.push(line) })
  opened.push(counts)
  return counts
}

/** Clients of each server ask at once. Answers of a server that is killed are left out. */
async function askAll(servers: Serving[], clients: number): Promise<Response[]> {
  const all = servers.flatMap(({ ask }) =>
    Array.from({ length: clients }, () => ask().catch(() => undefined)),
  )
  return (await Promise.all(all)).filter((one) => one !== undefined)
}

const startFour = (limits: string[]) =>
  Promise.all(['a', 'b', 'c', 'd'].map((name) => farm.start(name, limits)))
const tally = (all: Response[]) => {
  const count = (status: number) => all.filter((one) => one.status === status).length
  return { ok: count(200), tooMany: count(429), all: all.length }
}

describe.skipIf(!hasRedis())('counts in Redis (skipped without redis-server)', () => {
  test('say the same as counts in memory, of two thousand random steps', async () => {
    const clock = { ms: 0 }
    const both = [await connect(), createCounts({ now: () => clock.ms })] as const
    const limits: ClientLimits[] = [
      { requestsPerMinute: 9 },
      { tokensPerMinute: 90 },
      { tokensPerDay: 100, requestsPerMinute: 60 },
      { costPerDay: 9, tokensPerMinute: 1_000 },
      { running: 3 },
    ]
    const running: [OpenRequest, OpenRequest, ClientLimits][] = []
    const next = randomFrom(7)
    const random = (n: number) => Math.floor(next() * n)
    let [seen, id] = [new Set<string>(), 0]
    /** The same at both, Redis first: its second is the time of the other. */
    const compare = async (step: (counts: Counts, at: 0 | 1) => ReturnType<Counts['begin' | 'settle']>) => {
      const first = await step(both[0], 0)
      const used = first && 'used' in first ? first.used : first
      clock.ms = (used?.second ?? 0) * 1_000
      const second = await step(both[1], 1)
      expect(first).toEqual(second)
      return second && 'used' in second ? second.reached : undefined
    }
    for (let i = 0; i < 2_000; i++) {
      const at = random(running.length || 1)
      const amount = { tokens: random(20), cost: random(4) / 2 }
      const [one, two, own] = running[at] ?? []
      const what = ['begin', 'reserve', 'settle'][random(3)]
      if (what === 'begin' || !one || !two || !own) {
        const of = random(10)
        const [client, own] = [`c${of}`, limits[of % limits.length] as ClientLimits]
        const request = () => ({ client, id: `${id}`, tokens: 0, cost: 0 })
        const pair: [OpenRequest, OpenRequest] = [request(), request()]
        id++
        const reached = await compare((counts, at) => counts.begin(pair[at], own))
        if (reached) seen.add(reached.what)
        else running.push([...pair, own])
      } else if (what === 'reserve' && one.tokens === 0) {
        const reached = await compare((counts, at) => counts.reserve(at === 0 ? one : two, own, amount))
        if (reached) {
          seen.add(reached.what)
          await compare((counts, at) => counts.settle(at === 0 ? one : two, { tokens: 0, cost: 0 }))
          running.splice(at, 1)
        }
      } else if (what === 'settle') {
        await compare((counts, at) => counts.settle(at === 0 ? one : two, amount))
        running.splice(at, 1)
      }
    }
    expect([...seen].sort()).toEqual([
      '100 tokens per day',
      '3 requests at once',
      '9 dollars per day',
      '9 requests per minute',
      '90 tokens per minute',
    ])
  })

  test('have no name in clear, and expire by themselves', async () => {
    const counts = await connect()
    const request = { client: 'team-of-nine', id: 'i', tokens: 0, cost: 0 }
    await counts.begin(request, { running: 9 })
    await counts.settle(request, { tokens: 0, cost: 0 })
    const [key, ...others] = await redis.keys('*')
    expect([key, others]).toEqual([keyOf('team-of-nine'), []])
    expect(await redis.ttl(key as string)).toBeLessThanOrEqual(61)
    const other = { ...request, id: 'j' }
    await counts.begin(other, { running: 9 })
    await counts.settle(other, { tokens: 5, cost: 0.25 })
    const { day } = (await counts.begin(request, { running: 9 })).used
    expect(day).toEqual({ tokens: 5, cost: 0.25 })
    const left = 86_400 - (Math.floor(Date.now() / 1_000) % 86_400)
    expect(Math.abs((await redis.ttl(key as string)) - Math.max(left, 3_600))).toBeLessThan(60)
  })

  test('drop what a silent server holds, and count what it took if it comes back', async () => {
    const [one, two] = [await connect(), await connect()]
    const limits = { running: 1, tokensPerDay: 100 }
    const request = { client: 'a', id: 'i', tokens: 0, cost: 0 }
    const next = { client: 'a', id: 'j', tokens: 0, cost: 0 }
    await one.begin(request, limits)
    await one.reserve(request, limits, { tokens: 60, cost: 0 })
    expect((await two.begin(next, limits)).reached?.what).toBe('1 requests at once')
    const [second] = await redis.time()
    await redis.zadd(`${keyOf('a')}:till`, Number(second), 'i') // its time is over
    expect((await two.begin(next, limits)).used.open).toEqual({ requests: 1, tokens: 0, cost: 0 })
    await two.settle(next, { tokens: 1, cost: 0 })
    expect((await one.settle(request, { tokens: 40, cost: 0 }))?.day.tokens).toBe(41)
    expect((await one.settle(request, { tokens: 40, cost: 0 }))?.day.tokens).toBe(41) // once
  })

  test('four servers together let 256 clients of one key in as often as its limit says', async () => {
    const servers = await startFour(['--max-requests-per-minute', '100'])
    const all = await askAll(servers, 64)
    expect(tally(all)).toEqual({ ok: 100, tooMany: 156, all: 256 })
    const refused = all.find(({ status }) => status === 429) as Response
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(refused.headers.get('x-ratelimit-limit-requests')).toBe('100')
    expect(refused.headers.get('x-ratelimit-remaining-requests')).toBe('0')
    const files = readdirSync(path.join(farm.folder, 'redis'), { recursive: true }) as string[]
    const kept = files.filter((name) => /\.(aof|rdb)$/.test(name))
    const text = kept.map((name) => readFileSync(path.join(farm.folder, 'redis', name), 'latin1')).join()
    expect(text).toContain('aft:usage:')
    for (const secret of [KEY, 'team-of-nine']) expect(text).not.toContain(secret)
  })

  test('requests at once and tokens of a day hold over all servers, though one is killed; it may begin again', async () => {
    const limit = 2_000
    const limits = ['--max-tokens-per-day', `${limit}`, '--max-running-per-client', '20']
    const [first, second, ...rest] = (await startFour(limits)) as [Serving, Serving, ...Serving[]]
    // All that run are at the first server, which dies.
    const dying = Promise.allSettled(Array.from({ length: 20 }, () => first.ask('slow')))
    await expect.poll(countRunning).toBe(20)
    expect(tally(await askAll(rest, 16))).toEqual({ ok: 0, tooMany: 32, all: 32 })
    await first.part.kill()
    await dying
    await expect.poll(async () => (await second.ask()).status, { timeout: 120_000, interval: 500 }).toBe(200)
    const again = await farm.start('a2', limits)
    const used = async () => Number(await redis.hget(keyOf('team-of-nine'), 'tokens'))
    let told = 10
    const take = async (servers: Serving[]) => {
      for (const one of await askAll(servers, 16))
        if (one.ok) told += ((await one.json()) as { usage: { total_tokens: number } }).usage.total_tokens
    }
    for (let round = 0; round < 3; round++) await take([again, second, ...rest])
    const cut = take([again, second, ...rest])
    await delay(100)
    await second.part.kill()
    await cut
    // What may run is bound by its text, so the last tokens are not all taken at once.
    const endMs = performance.now() + 120_000
    while ((await used()) < limit && performance.now() < endMs) await take([again, ...rest])
    expect(await used()).toBeGreaterThanOrEqual(limit)
    expect(await used()).toBeLessThan(limit + 11)
    expect(told).toBeGreaterThan(limit / 2)
    expect(told).toBeLessThanOrEqual(await used())
    const restarted = await farm.start('a3', limits)
    const refused = await restarted.ask()
    expect(refused.status).toBe(429)
    expect(refused.headers.get('x-ratelimit-remaining-tokens')).toBe('0')
  })

  test('if Redis is gone requests get a 503 and what runs ends; when it is back all is counted', async () => {
    const server = await farm.start('a', ['--max-tokens-per-day', '1000', '--max-requests-per-minute', '50'])
    expect((await server.ask()).status).toBe(200)
    await redis.config('SET', 'appendfsync', 'always')
    const running = server.ask('slow')
    // It has begun, and what it may take is reserved.
    const reserved = async () => Number(await redis.hget(keyOf('team-of-nine'), 'openTokens'))
    await expect.poll(reserved).toBeGreaterThan(0)
    await farm.redis.kill()
    const refused = await server.ask()
    expect(refused.status).toBe(503)
    expect(refused.headers.get('retry-after')).toBe('5')
    expect(await refused.json()).toMatchObject({ error: { code: 'usage_unavailable', type: 'server_error' } })
    expect((await running).status).toBe(200)
    farm.redis.start()
    await expect.poll(async () => (await server.ask()).status).toBe(200)
    await expect.poll(async () => redis.hget(keyOf('team-of-nine'), 'tokens')).toBe('30')
    const log = () => server.part.log
    await expect.poll(log).toContain(`redis 127.0.0.1:${farm.port}/0 is lost; waiting for it`)
    await expect.poll(log).toContain(`redis 127.0.0.1:${farm.port}/0 is back`)
  })

  test('if Redis hangs or is full requests get a 503, and what they took is counted later', async () => {
    const log: string[] = []
    const counts = await connect(log)
    const limits = { tokensPerDay: 100 }
    const [one, two] = ['i', 'j'].map((id) => ({ client: 'a', id, tokens: 0, cost: 0 }))
    if (!one || !two) throw new Error('two requests')
    await counts.begin(one, limits)
    farm.redis.child.kill('SIGSTOP')
    await expect(counts.begin(two, limits)).rejects.toMatchObject({ status: 503 })
    expect(await counts.settle(one, { tokens: 40, cost: 0 })).toBe(undefined)
    farm.redis.child.kill('SIGCONT')
    const tokens = () => redis.hget(keyOf('a'), 'tokens')
    await expect.poll(tokens).toBe('40')
    await expect.poll(() => redis.hkeys(`${keyOf('a')}:held`)).toEqual([]) // it was ended, too
    await delay(6_000) // it was asked again to count the first one
    expect(await tokens()).toBe('40')
    const three = { ...two, id: 'k' }
    await counts.begin(three, limits)
    await redis.config('SET', 'maxmemory', '1')
    await expect(counts.begin({ ...two, id: 'l' }, limits)).rejects.toMatchObject({ status: 503 })
    expect(await counts.settle(three, { tokens: 2, cost: 0 })).toBe(undefined)
    await redis.config('SET', 'maxmemory', '0')
    await expect.poll(tokens).toBe('42')
    expect(log.filter((line) => line.startsWith('Redis does not count'))).toEqual([
      expect.stringContaining('timed out'),
      expect.stringContaining('OOM'),
    ])
  })
})

function countRunning(): Promise<number> {
  return redis.hlen(`${keyOf('team-of-nine')}:held`)
}
