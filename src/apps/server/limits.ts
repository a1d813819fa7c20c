/** The limits of a client, and which of them it has reached. */

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

/** Tokens and US dollars. */
export interface Amount {
  tokens: number
  cost: number
}

/** What a client has used, and what its running requests may still take. */
export interface Used {
  /** Seconds since 1970, by the clock of the counts. */
  second: number
  /** Seconds of the last minute with what began or ended in them, oldest first. */
  minute: [second: number, requests: number, tokens: number][]
  /** Since midnight UTC. */
  day: Amount
  open: Amount & { requests: number }
}

/** A limit that a client has reached, in words, and the seconds to wait. */
export interface Reached {
  what: string
  seconds: number
}

/** Seconds of the window that limits per minute look at. */
export const MINUTE_S = 60
const DAY_S = 86_400

/**
 * Finds the first limit that a client has reached. Tokens and money are looked at twice: before the
 * body is read, and when it is known what the request may take. The other limits only count before it has begun.
 */
export function findReached(limits: ClientLimits, used: Used, hasBegun: boolean): Reached | undefined {
  const { requestsPerMinute, tokensPerMinute, tokensPerDay, costPerDay, running } = limits
  const { day, open } = used
  const reached: [limit: number | undefined, what: string, seconds: (limit: number) => number][] = [
    [tokensPerMinute, 'tokens per minute', (limit) => secondsUntil(used, 2, limit)],
    [tokensPerDay, 'tokens per day', (limit) => (day.tokens < limit ? 0 : secondsToMidnight(used))],
    [costPerDay, 'dollars per day', (limit) => (day.cost < limit ? 0 : secondsToMidnight(used))],
    // What runs may still take the rest: it is known soon.
    [tokensPerMinute, 'tokens per minute', (limit) => (sum(used, 2) + open.tokens < limit ? 0 : 1)],
    [tokensPerDay, 'tokens per day', (limit) => (day.tokens + open.tokens < limit ? 0 : 1)],
    [costPerDay, 'dollars per day', (limit) => (day.cost + open.cost < limit ? 0 : 1)],
  ]
  if (!hasBegun) {
    reached.unshift(
      [running, 'requests at once', (limit) => (open.requests < limit ? 0 : 1)],
      [requestsPerMinute, 'requests per minute', (limit) => secondsUntil(used, 1, limit)],
    )
  }
  for (const [limit, what, wait] of reached) {
    const seconds = limit === undefined ? 0 : wait(limit)
    if (seconds > 0) return { what: `${limit} ${what}`, seconds }
  }
  return undefined
}

function sum({ minute }: Used, at: 1 | 2): number {
  return minute.reduce((total, each) => total + each[at], 0)
}

/** Seconds until the last minute has less than `limit`; 0 if it has now. */
function secondsUntil(used: Used, at: 1 | 2, limit: number): number {
  let left = sum(used, at)
  if (left < limit) return 0
  for (const each of used.minute) {
    left -= each[at]
    if (left < limit) return Math.max(1, each[0] + MINUTE_S - used.second)
  }
  return 1
}

/** A day ends at midnight UTC. */
function secondsToMidnight({ second }: Pick<Used, 'second'>): number {
  return DAY_S - (second % DAY_S)
}

/** The usual `x-ratelimit-*` headers: of the limit per minute, or per day if there is no other. */
export function rateHeaders(limits: ClientLimits, used: Used): Record<string, string> {
  const headers: Record<string, string> = {}
  const add = (name: string, limit: number, taken: number, resetS: number) => {
    headers[`x-ratelimit-limit-${name}`] = String(limit)
    headers[`x-ratelimit-remaining-${name}`] = String(Math.max(0, Math.floor(limit - taken)))
    headers[`x-ratelimit-reset-${name}`] = `${resetS}s`
  }
  const { day, open } = used
  const { requestsPerMinute, tokensPerMinute, tokensPerDay } = limits
  const [requests, tokens] = [sum(used, 1), sum(used, 2)]
  if (requestsPerMinute) add('requests', requestsPerMinute, requests, requests > 0 ? MINUTE_S : 0)
  if (tokensPerMinute) add('tokens', tokensPerMinute, tokens + open.tokens, tokens > 0 ? MINUTE_S : 0)
  else if (tokensPerDay) add('tokens', tokensPerDay, day.tokens + open.tokens, secondsToMidnight(used))
  return headers
}
