/** What each client may take of a server. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { scriptedEngine } from '../../engines/scripted/scripted.ts'
import { nothingSpent } from '../../run/budget.ts'
import { type AllowanceOptions, createAllowance } from './allowance.ts'
import type { ApiError } from './api-error.ts'
import { type CountsOptions, createCounts } from './counts.ts'
import { startServer, user } from './server.fixture.ts'

const NOON = Date.UTC(2026, 0, 2, 12)
const file = () => path.join(mkdtempSync(path.join(tmpdir(), 'usage-')), 'usage.json')
const spend = (tokens: number, cost = 0) => ({ ...nothingSpent, outputTokens: tokens, cost })

/** An allowance with a clock of its own. */
function make({ limits, ofKeys, ...options }: Omit<AllowanceOptions, 'counts'> & CountsOptions) {
  const clock = { ms: NOON }
  const counts = createCounts({ now: () => clock.ms, ...options })
  const allowance = createAllowance({ limits, ofKeys, counts })
  const refused = async (client = 'a') => {
    try {
      const pass = await allowance.enter(client)
      try {
        await pass.reserve(spend(1, 0.001))
        return undefined
      } finally {
        await pass.settle()
      }
    } catch (error) {
      return (error as ApiError).headers['retry-after']
    }
  }
  const take = async (client: string, tokens: number, cost = 0) => {
    const pass = await allowance.enter(client)
    await pass.reserve(spend(tokens, cost))
    await pass.settle(spend(tokens, cost))
  }
  return { clock, allowance, refused, take }
}

describe('requests per minute', () => {
  test('count in any 60 seconds, for each client alone, and the refusal says how long to wait', async () => {
    const { clock, refused } = make({ limits: { requestsPerMinute: 2 } })
    expect(await refused()).toBe(undefined)
    clock.ms += 20_000
    expect(await refused()).toBe(undefined)
    expect(await refused()).toBe('40')
    expect(await refused('b')).toBe(undefined)
    clock.ms += 39_000
    expect(await refused()).toBe('1')
    clock.ms += 1_000
    expect(await refused()).toBe(undefined)
    expect(await refused()).toBe('20')
  })

  test('a key may have limits of its own', async () => {
    const { refused } = make({ limits: { requestsPerMinute: 1 }, ofKeys: { b: { requestsPerMinute: 2 } } })
    const seen: boolean[] = []
    for (const client of ['a', 'a', 'b', 'b', 'b']) seen.push((await refused(client)) !== undefined)
    expect(seen).toEqual([false, true, false, false, true])
  })
})

describe('tokens and money', () => {
  test('what runs counts with the most that it may take, until it has ended', async () => {
    const { allowance, refused } = make({ limits: { tokensPerMinute: 100 } })
    const pass = await allowance.enter('a')
    await pass.reserve(spend(100))
    expect(await refused()).toBe('1')
    await pass.settle(spend(99))
    expect(await refused()).toBe(undefined)
    await pass.settle(spend(99)) // a second end counts nothing
    expect(await refused()).toBe(undefined)
  })

  test('a day begins at midnight UTC', async () => {
    const { clock, refused, take } = make({ limits: { tokensPerDay: 10, costPerDay: 1 } })
    await take('a', 10)
    await take('b', 1, 1)
    expect([await refused('a'), await refused('b'), await refused('c')]).toEqual([
      '43200',
      '43200',
      undefined,
    ])
    clock.ms += 43_199_000
    expect(await refused('a')).toBe('1')
    clock.ms += 1_000
    expect([await refused('a'), await refused('b')]).toEqual([undefined, undefined])
  })
})

describe('the file', () => {
  test('keeps minutes and days over a restart', async () => {
    const where = file()
    const limits = { requestsPerMinute: 1, tokensPerDay: 10 }
    const first = make({ limits, file: where })
    await first.take('a', 10)
    await first.allowance.close()
    const second = make({ limits, file: where })
    expect([await second.refused('a'), await second.refused('b')]).toEqual(['60', undefined])
    second.clock.ms += 61_000
    expect(await second.refused('a')).toBe(String(43_200 - 61))
    await second.allowance.close()
    expect(existsSync(`${where}.lock`)).toBe(false)
  })

  test.each([
    ['text', 'counts begin at 0'],
    ['{"version": 1, "day": "x", "clients": {"a": {"tokens": -1}}}', 'counts begin at 0'],
  ])('that is damaged is refused and stays as it is: %s', (content, problem) => {
    const where = file()
    writeFileSync(where, content)
    expect(() => createCounts({ file: where })).toThrow(problem)
    expect(readFileSync(where, 'utf8')).toBe(content)
  })

  test('belongs to one server', async () => {
    const where = file()
    const { allowance } = make({ file: where })
    expect(() => createCounts({ file: where })).toThrow('give each server its own')
    await allowance.close()
  })

  test('that cannot be written is reported once, and the counts go on', async () => {
    const log: string[] = []
    const where = file()
    const limits = { requestsPerMinute: 1 }
    const { allowance, refused } = make({ limits, file: where, log: (line) => log.push(line) })
    mkdirSync(`${where}.tmp`)
    await refused()
    expect(await refused()).toBe('60')
    await allowance.close()
    expect(log).toEqual([expect.stringContaining('what clients used is not kept')])
  })
})

test('address after address does not fill the memory', async () => {
  const where = file()
  const { allowance, take, refused } = make({ limits: { tokensPerDay: 10 }, file: where })
  await take('heavy', 10)
  for (let i = 0; i < 10_050; i++) await take(`10.0.${i >> 8}.${i & 255}`, 1)
  expect(await refused('heavy')).toBeDefined()
  await allowance.close()
  expect(Object.keys(JSON.parse(readFileSync(where, 'utf8')).clients).length).toBe(10_000)
})

describe('a server', () => {
  const engine = () => scriptedEngine([{ replies: [{ text: 'one two three', delayMs: 1 }] }])
  const ask = { model: 'single', messages: user('Name a river.'), max_tokens: 3 }
  const keys = { a: 'the-key-of-client-a', b: 'the-key-of-client-b' }
  const by = (key: string) => ({ headers: { authorization: `Bearer ${key}` } })

  test('lets 64 clients of one key take what it has, within one request', async () => {
    const { post } = await startServer(engine(), { keys, clientLimits: { requestsPerMinute: 40 } })
    const all = await Promise.all(Array.from({ length: 64 }, () => post(ask, by(keys.a))))
    expect(all.filter(({ status }) => status === 200).length).toBe(40)
    const refused = all.find(({ status }) => status === 429) as Response
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(50)
    expect(refused.headers.get('x-ratelimit-limit-requests')).toBe('40')
    expect(refused.headers.get('x-ratelimit-remaining-requests')).toBe('0')
    expect(await refused.json()).toMatchObject({ error: { code: 'rate_limit_exceeded' } })
    expect((await post(ask, by(keys.b))).status).toBe(200)
  })

  test('counts the tokens of 64 at once, and of one whose client leaves, within one request', async () => {
    const limit = 200
    const { post, url } = await startServer(engine(), { keys, clientLimits: { tokensPerDay: limit } })
    let used = 0
    let largest = 0
    for (let round = 0; round < 12 && used < limit; round++) {
      const all = await Promise.all(
        Array.from({ length: 64 }, (_, i) => post({ ...ask, stream: i % 2 === 0 }, by(keys.a))),
      )
      for (const response of all) {
        const text = await response.text()
        if (response.status !== 200 || text.startsWith('data')) continue
        largest = Math.max(largest, JSON.parse(text).usage.total_tokens)
      }
      const last = await post(ask, by(keys.a))
      used = limit - Number(last.headers.get('x-ratelimit-remaining-tokens'))
    }
    expect(largest).toBeGreaterThan(0)
    const refused = await post(ask, by(keys.a))
    expect(refused.status).toBe(429)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(1)
    expect(used).toBeLessThan(limit + 1)
    expect((await fetch(`${url}/v1/models`, by(keys.a))).status).toBe(200)
  })

  const image = { type: 'image_url', image_url: { url: 'https://example.com/a.png' } }
  test.each([
    ['a token per byte', 440, { messages: user('7'.repeat(400)) }],
    ['tools', 440, { tools: [{ type: 'function', function: { name: 'f', description: '7'.repeat(400) } }] }],
    ['an image', 16_400, { messages: [{ role: 'user', content: [image] }] }],
  ])('lets 64 at once take no more with %s, by the count of the server behind', async (_, read, more) => {
    const limit = 4.5 * read
    const replies = [{ text: 'one two three', delayMs: 50, usage: { inputTokens: read } }]
    const { post } = await startServer(scriptedEngine([{ replies }]), {
      keys,
      clientLimits: { tokensPerMinute: limit },
    })
    const all = await Promise.all(Array.from({ length: 64 }, () => post({ ...ask, ...more }, by(keys.a))))
    let used = 0
    let largest = 0
    for (const response of all.filter(({ status }) => status === 200)) {
      const { usage } = (await response.json()) as { usage: { total_tokens: number } }
      used += usage.total_tokens
      largest = Math.max(largest, usage.total_tokens)
    }
    expect(used).toBeGreaterThan(limit / 2)
    expect(used).toBeLessThanOrEqual(limit + largest)
  })

  test('a client that leaves pays what was running', async () => {
    const slow = scriptedEngine([{ replies: [{ text: 'one two three', delayMs: 5_000 }] }])
    const { post } = await startServer(slow, { keys, clientLimits: { tokensPerDay: 20 } })
    const leave = new AbortController()
    const left = post({ ...ask, max_tokens: 30 }, { ...by(keys.a), signal: leave.signal })
    await expect.poll(async () => (await post(ask, by(keys.a))).headers.get('retry-after')).toBe('1')
    leave.abort()
    await left.catch(() => {})
    await expect
      .poll(async () => Number((await post(ask, by(keys.a))).headers.get('retry-after')))
      .toBeGreaterThan(1)
  })

  test('a limit of cost needs prices', async () => {
    const clientLimits = { costPerDay: 1 }
    await expect(startServer(engine(), { clientLimits })).rejects.toThrow('needs prices, and that of one')
    const prices = { one: { inputPerMTok: 0, outputPerMTok: 1e6 } }
    const { post } = await startServer(engine(), { clientLimits, prices })
    expect((await post(ask)).status).toBe(200)
    expect((await post(ask)).status).toBe(429)
  })

  test('requests at once', async () => {
    const { post } = await startServer(engine(), { clientLimits: { running: 2 } })
    const all = await Promise.all([1, 2, 3].map(() => post(ask)))
    expect(all.map(({ status }) => status).sort()).toEqual([200, 200, 429])
    expect((await post(ask)).status).toBe(200)
  })
})
