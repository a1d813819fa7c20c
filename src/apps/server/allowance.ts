/** What each client may take: requests, tokens and money. What it took is kept in a small file, over a restart. */
import { nothingSpent, type Spending } from '../../run/budget.ts'
import { ApiError } from './api-error.ts'
import { type Counts, createCounts, MINUTE_S } from './counts.ts'

/** The limits of one client. What is absent is not limited. */
export interface ClientLimits {
  /** In any 60 seconds. */
  requestsPerMinute?: number
  /** Tokens read and written, in any 60 seconds. */
  tokensPerMinute?: number
  /** A day begins at midnight UTC. */
  tokensPerDay?: number
  /** US dollars. */
  costPerDay?: number
  /** Requests that run or wait at once. */
  running?: number
}

/** Limits for all clients, and those of some keys in their place. */
export interface AllowanceOptions {
  limits?: ClientLimits
  /** By the name of the key. They replace those for all, one by one. */
  ofKeys?: Record<string, ClientLimits>
  /** The file that keeps what was used; absent: memory only. */
  file?: string
  log?: (line: string) => void
  /** Milliseconds since 1970. */
  now?: () => number
}

/** A request that was let in. Call `settle` at its end in any case. */
export interface Pass {
  /**
   * Counts the most that the request may take, until it has ended.
   * @throws ApiError 429 if its client has no tokens or money left
   */
  reserve(bound: Spending): void
  /** Counts what it took in place of what was reserved. Only the first call counts. */
  settle(took?: Spending): void
  /** The usual `x-ratelimit-*` headers; none without limits. */
  headers(): Record<string, string>
}

/** Lets requests in while their client has something left. */
export interface Allowance {
  /** @throws ApiError 429 */
  enter(client: string): Pass
  /** Writes the file, and gives it free for another server. */
  close(): void
}

/** What runs of a client. */
interface Running {
  requests: number
  tokens: number
  cost: number
}

/**
 * Makes the allowance of a server's clients. A client may start a request as long as what it has used, and the most
 * that its running requests may still take, is below each limit. So it takes at most one request more than its limit.
 * @throws UsageError if another server uses the file, or if it is no such file
 */
export function createAllowance(options: AllowanceOptions = {}): Allowance {
  const { limits = {}, ofKeys = {}, file, log = () => {}, now = Date.now } = options
  const counts = createCounts({ file, now, log })
  const running = new Map<string, Running>()
  const runningOf = (client: string): Running => {
    const found = running.get(client) ?? { requests: 0, tokens: 0, cost: 0 }
    running.set(client, found)
    return found
  }
  return {
    enter(client) {
      const own = Object.hasOwn(ofKeys, client) ? { ...limits, ...ofKeys[client] } : limits
      if (Object.keys(own).length === 0) return FREE
      const open = runningOf(client)
      const check = (isBound: boolean) => refuse(own, { counts, client, open, now, isBound })
      check(false)
      counts.add(client, { requests: 1, tokens: 0, cost: 0 })
      open.requests++
      return createPass(open, {
        check: () => check(true),
        spend: (tokens, cost) => counts.add(client, { requests: 0, tokens, cost }),
        leave: () => open.requests === 0 && running.delete(client),
        headers: () => headersOf(own, { counts, client, open, now }),
      })
    },
    close: counts.close,
  }
}

const FREE: Pass = { reserve: () => {}, settle: () => {}, headers: () => ({}) }

function createPass(
  open: Running,
  at: {
    check: () => void
    spend: (tokens: number, cost: number) => void
    leave: () => void
    headers: Pass['headers']
  },
): Pass {
  let [tokens, cost, isOpen] = [0, 0, true]
  return {
    headers: at.headers,
    reserve(bound) {
      at.check()
      tokens = tokensOf(bound)
      cost = bound.cost ?? 0
      open.tokens += tokens
      open.cost += cost
    },
    settle(took = nothingSpent) {
      if (!isOpen) return
      isOpen = false
      open.requests--
      open.tokens -= tokens
      open.cost -= cost
      if (tokensOf(took) > 0 || took.cost) at.spend(tokensOf(took), took.cost ?? 0)
      at.leave()
    },
  }
}

function tokensOf({ inputTokens, outputTokens }: Spending): number {
  return inputTokens + outputTokens
}

interface State {
  counts: Counts
  client: string
  open: Running
  now: () => number
}

/**
 * Throws for the first limit that a client has reached. Whether it has tokens left is asked twice: before its body is
 * read, and when it is known what the request may take.
 */
function refuse(limits: ClientLimits, state: State & { isBound: boolean }): void {
  const { counts, client, open, now, isBound } = state
  const { requestsPerMinute, tokensPerMinute, tokensPerDay, costPerDay, running } = limits
  const throwAt = (what: string, seconds: number) => {
    throw new ApiError(429, `${client} has used its ${what}; try again in ${seconds} s`, {
      code: 'rate_limit_exceeded',
      headers: { 'retry-after': String(seconds), ...headersOf(limits, state) },
    })
  }
  if (!isBound) {
    if (running !== undefined && open.requests >= running) throwAt(`limit of ${running} requests at once`, 1)
    const wait = requestsPerMinute && counts.wait(client, 'requests', requestsPerMinute)
    if (wait) throwAt(`${requestsPerMinute} requests per minute`, wait)
  }
  const minute = tokensPerMinute && counts.wait(client, 'tokens', tokensPerMinute)
  if (minute) throwAt(`${tokensPerMinute} tokens per minute`, minute)
  const day = counts.day(client)
  const midnight = secondsToMidnight(now())
  if (tokensPerDay && day.tokens >= tokensPerDay) throwAt(`${tokensPerDay} tokens per day`, midnight)
  if (costPerDay && day.cost >= costPerDay) throwAt(`${costPerDay} dollars per day`, midnight)
  // What runs may still take the rest: it is known soon.
  const used = counts.minute(client).tokens + open.tokens
  if (tokensPerMinute && used >= tokensPerMinute) throwAt(`${tokensPerMinute} tokens per minute`, 1)
  if (tokensPerDay && day.tokens + open.tokens >= tokensPerDay) throwAt(`${tokensPerDay} tokens per day`, 1)
  if (costPerDay && day.cost + open.cost >= costPerDay) throwAt(`${costPerDay} dollars per day`, 1)
}

function secondsToMidnight(nowMs: number): number {
  const DAY_S = 86_400
  return DAY_S - (Math.floor(nowMs / 1_000) % DAY_S)
}

/** The limit that clients know: per minute, or per day if there is no other. */
function headersOf(limits: ClientLimits, { counts, client, open, now }: State): Record<string, string> {
  const headers: Record<string, string> = {}
  const add = (name: string, limit: number, used: number, resetS: number) => {
    headers[`x-ratelimit-limit-${name}`] = String(limit)
    headers[`x-ratelimit-remaining-${name}`] = String(Math.max(0, Math.floor(limit - used)))
    headers[`x-ratelimit-reset-${name}`] = `${resetS}s`
  }
  const { requests, tokens } = counts.minute(client)
  const { requestsPerMinute, tokensPerMinute, tokensPerDay } = limits
  if (requestsPerMinute) add('requests', requestsPerMinute, requests, requests > 0 ? MINUTE_S : 0)
  if (tokensPerMinute) add('tokens', tokensPerMinute, tokens + open.tokens, tokens > 0 ? MINUTE_S : 0)
  else if (tokensPerDay) {
    const used = counts.day(client).tokens + open.tokens
    add('tokens', tokensPerDay, used, secondsToMidnight(now()))
  }
  return headers
}
