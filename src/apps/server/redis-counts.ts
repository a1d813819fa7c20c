/** Counts in Redis, so that the limits of a client hold over several servers together. */
import { hash } from 'node:crypto'
import type { Redis } from 'ioredis'
import { connectRedis, readInfo } from '../../run/redis.ts'
import { ApiError } from './api-error.ts'
import { HOLD, SETTLE, TAKE } from './count-script.ts'
import type { Counts, OpenRequest, Verdict } from './counts.ts'
import { type Amount, type ClientLimits, findReached, type Used } from './limits.ts'

/** A script of Redis. */
export type ScriptName = 'take' | 'settle' | 'hold'

/** Runs a script on the keys of a client, whose first is `key`. Its answer is checked by who asks. */
export type Call = (script: ScriptName, key: string, args: (string | number)[]) => Promise<unknown>

/** How often Redis hears that requests still run, and is asked again to count what it did not answer. */
const REFRESH_MS = 5_000
/** Redis counts whole billionths of a dollar. */
const NANO = 1e9
const MOST = 1e15
const RETRY_S = 5

/**
 * Counts with scripts that `call` runs. If Redis does not answer, no request is let in (status 503): limits are a promise,
 * and servers that count alone would give a client several times as much. What ends then is counted when Redis is back.
 */
export function createRedisCounts(call: Call, log: (line: string) => void = () => {}): Counts {
  const held = new Map<string, OpenRequest>()
  const debts = new Map<OpenRequest, Amount>()
  const paying = new Set<Promise<unknown>>()
  const ask = createAsk(call, log)

  const take = async (request: OpenRequest, limits: ClientLimits, bound?: Amount): Promise<Verdict> => {
    Object.assign(request, bound) // before the call, so that `hold` after it says the same
    const args = [request.id, ...toWhole(request), bound ? 0 : 1, ...limitArgs(limits)]
    const { isLet, used } = await ask('take', request.client, args)
    if (isLet) {
      if (!bound) held.set(request.id, request)
      return { used }
    }
    const reached = findReached(limits, used, bound !== undefined)
    return { used, reached: reached ?? { what: 'limits', seconds: 1 } }
  }
  const pay = async (request: OpenRequest, took: Amount): Promise<Used | undefined> => {
    try {
      const { used } = await ask('settle', request.client, [request.id, ...toWhole(took)])
      debts.delete(request)
      return used
    } catch {
      debts.set(request, took)
      return undefined
    }
  }
  const settle = (request: OpenRequest, took: Amount): Promise<Used | undefined> => {
    held.delete(request.id)
    const paid = pay(request, took).finally(() => paying.delete(paid))
    paying.add(paid)
    return paid
  }
  const payAll = () => Promise.all([...debts].map(([request, took]) => pay(request, took)))
  const timer = setInterval(() => {
    holdAll(held, ask)
    void payAll()
  }, REFRESH_MS).unref()

  return {
    async begin(request, limits) {
      try {
        return await take(request, limits)
      } catch (error) {
        void settle(request, NOTHING) // it may run all the same for Redis, if only the answer was lost
        throw error
      }
    },
    reserve: take,
    settle,
    async close() {
      clearInterval(timer)
      await Promise.all(paying)
      await payAll()
      if (debts.size > 0) log(`what ${debts.size} requests took is not counted: Redis does not answer`)
    },
  }
}

const NOTHING: Amount = { tokens: 0, cost: 0 }

/** What a script says: whether the request was let in, and what its client has used. */
type Ask = (
  script: ScriptName,
  client: string,
  args: (string | number)[],
) => Promise<{ isLet: boolean; used: Used }>

/** Asks Redis. A failure is logged once, until a request is counted again. @throws ApiError 503 */
function createAsk(call: Call, log: (line: string) => void): Ask {
  let isTold = false
  return async (script, client, args) => {
    try {
      const reply = readReply(await call(script, keyOf(client), args))
      // To end a request that is not known works in a full Redis, too.
      if (script === 'take') isTold = false
      return reply
    } catch (error) {
      if (!isTold) log(`Redis does not count, so clients get status 503: ${(error as Error).message}`)
      isTold = true
      throw new ApiError(503, `what clients use cannot be counted now; try again in ${RETRY_S} s`, {
        code: 'usage_unavailable',
        headers: { 'retry-after': String(RETRY_S) },
      })
    }
  }
}

/** Tells Redis what still runs, a call per client, all at once: what ends later is then told later. */
function holdAll(held: Map<string, OpenRequest>, ask: Ask): void {
  for (const [client, all] of Map.groupBy(held.values(), (request) => request.client)) {
    const args = all.flatMap((request) => [request.id, ...toWhole(request)])
    ask('hold', client, args).catch(() => {})
  }
}

/** The name of a client is not in Redis. */
function keyOf(client: string): string {
  return `aft:usage:{${hash('sha256', client)}}` // the braces keep its keys on one node of a cluster
}

function toWhole({ tokens, cost }: Amount): [tokens: number, cost: number] {
  return [Math.min(Math.ceil(tokens), MOST), Math.min(Math.ceil(cost * NANO), MOST)]
}

function limitArgs({
  tokensPerMinute,
  tokensPerDay,
  costPerDay,
  running,
  requestsPerMinute,
}: ClientLimits): number[] {
  const cost = costPerDay === undefined ? undefined : Math.min(Math.ceil(costPerDay * NANO), MOST)
  return [tokensPerMinute, tokensPerDay, cost, running, requestsPerMinute].map((limit) => limit ?? -1)
}

function readReply(reply: unknown): { isLet: boolean; used: Used } {
  const all = reply as number[]
  if (!Array.isArray(reply) || all.length % 3 !== 1 || all.length < 7 || !all.every(Number.isSafeInteger))
    throw new Error('expected the numbers of a client')
  const [isLet, second, tokens, cost, requests, openTokens, openCost, ...rest] = all as [
    ...[number, number, number, number, number, number, number],
    ...number[],
  ]
  const minute: Used['minute'] = []
  for (let i = 0; i < rest.length; i += 3) minute.push(rest.slice(i, i + 3) as [number, number, number])
  return {
    isLet: isLet === 1,
    used: {
      second,
      minute,
      day: { tokens, cost: cost / NANO },
      open: { requests, tokens: openTokens, cost: openCost / NANO },
    },
  }
}

/** The password of an address may be here, so that it is not in the list of processes. */
const PASSWORD_VARIABLE = 'AFT_USAGE_PASSWORD'
/** A server that does not answer for so long fails the request. */
const ANSWER_MS = 5_000
/** A request that begins waits so long for a server that is lost. */
const BACK_MS = 2_000

/** Whether this is the address of a Redis and no file. */
export function isRedisAddress(place: string): boolean {
  return /^rediss?:\/\//i.test(place)
}

/**
 * Connects to a Redis or Valkey that counts what clients use, for `usageStore` of `createServer`. The server closes it.
 * @param address `redis://` or `rediss://`; the password may be in `AFT_USAGE_PASSWORD`
 * @throws UsageError for another address, a Redis that is too old, or if ioredis is missing; EngineError if it cannot be reached
 * @example
 * import { openEngine } from 'aft'
 * import { connectUsage, createServer } from 'aft/server'
 *
 * const usageStore = await connectUsage('redis://10.0.0.5:6379/0')
 * const clientLimits = { tokensPerDay: 1_000_000 }
 * const server = createServer({ engines: { small: await openEngine('smollm2') }, clientLimits, usageStore })
 */
export async function connectUsage(
  address: string,
  { env, log = () => {} }: { env?: NodeJS.ProcessEnv; log?: (line: string) => void } = {},
): Promise<Counts> {
  const { redis, warnings, close } = await connectRedis(address, {
    packages: 'counting over several servers',
    passwordVariable: PASSWORD_VARIABLE,
    check: checkStore,
    // A command whose answer was lost is not sent again by itself: it may have counted.
    options: { enableOfflineQueue: false, maxRetriesPerRequest: 0, commandTimeout: ANSWER_MS },
    env,
    onNote: log,
  })
  for (const warning of warnings) log(warning)
  const counts = createRedisCounts(createCall(redis), log)
  return { ...counts, close: () => counts.close().finally(close) }
}

function createCall(redis: Redis): Call {
  const scripts = { take: TAKE, settle: SETTLE, hold: HOLD }
  for (const [name, lua] of Object.entries(scripts))
    redis.defineCommand(`aft-${name}`, { lua, numberOfKeys: 3 })
  const known = redis as unknown as Record<string, (...args: (string | number)[]) => Promise<unknown>>
  let waiting: Promise<void> | undefined
  const untilBack = () => {
    waiting ??= new Promise<void>((resolve) => {
      const end = () => {
        clearTimeout(timer)
        redis.off('ready', end)
        waiting = undefined
        resolve()
      }
      const timer = setTimeout(end, BACK_MS)
      redis.once('ready', end)
    })
    return waiting
  }
  return async (script, key, args) => {
    if (redis.status !== 'ready' && script === 'take') await untilBack()
    if (redis.status !== 'ready') throw new Error('it is lost')
    return known[`aft-${script}`]?.(key, `${key}:held`, `${key}:till`, ...args)
  }
}

function checkStore(info: string, place: string): string[] {
  const warnings: string[] = []
  const policy = readInfo(info, 'maxmemory_policy')
  if (policy !== undefined && policy !== 'noeviction') {
    warnings.push(
      `redis ${place}: its maxmemory-policy is ${policy}, so it drops counts when its memory is full, and clients may take more ` +
        'than their limits (redis-cli config set maxmemory-policy noeviction)',
    )
  }
  if (readInfo(info, 'aof_enabled') === '0') {
    warnings.push(
      `redis ${place} has no append-only file: if it ends, counts begin at 0 (redis-cli config set appendonly yes)`,
    )
  }
  return warnings
}
