/** What each client may take: requests, tokens and money. */
import { randomUUID } from 'node:crypto'
import { nothingSpent, type Spending } from '../../run/budget.ts'
import { ApiError } from './api-error.ts'
import type { Counts, OpenRequest, Verdict } from './counts.ts'
import { type Amount, type ClientLimits, rateHeaders, type Used } from './limits.ts'

/** Limits for all clients, and those of some keys in their place. */
export interface AllowanceOptions {
  counts: Counts
  limits?: ClientLimits
  /** By the name of the key. They replace those for all, one by one. */
  ofKeys?: Record<string, ClientLimits>
}

/** A request that was let in. Call `settle` at its end in any case. */
export interface Pass {
  /**
   * Counts the most that the request may take, until it has ended.
   * @throws ApiError 429 if its client has no tokens or money left, 503 if it cannot be counted
   */
  reserve(bound: Spending): Promise<void>
  /** Counts what it took in place of what was reserved. Only the first call counts. It does not reject. */
  settle(took?: Spending): Promise<void>
  /** The usual `x-ratelimit-*` headers; none without limits. */
  headers(): Record<string, string>
}

/** Lets requests in while their client has something left. */
export interface Allowance {
  /** @throws ApiError 429, or 503 if it cannot be counted */
  enter(client: string): Promise<Pass>
  /** Keeps what is still to be counted, and gives the counts free. */
  close(): Promise<void>
}

/**
 * Makes the allowance of a server's clients. A client may start a request as long as what it has used, and the most
 * that its running requests may still take, is below each limit. So it takes at most one request more than its limit.
 */
export function createAllowance({ counts, limits = {}, ofKeys = {} }: AllowanceOptions): Allowance {
  return {
    async enter(client) {
      const own = Object.hasOwn(ofKeys, client) ? { ...limits, ...ofKeys[client] } : limits
      if (Object.keys(own).length === 0) return FREE
      const request: OpenRequest = { client, id: randomUUID(), tokens: 0, cost: 0 }
      let used = check(await counts.begin(request, own), request, own)
      let isOpen = true
      return {
        headers: () => rateHeaders(own, used),
        async reserve(bound) {
          used = check(await counts.reserve(request, own, amountOf(bound)), request, own)
        },
        async settle(took = nothingSpent) {
          if (!isOpen) return
          isOpen = false
          used = (await counts.settle(request, amountOf(took))) ?? used
        },
      }
    },
    close: counts.close,
  }
}

const FREE: Pass = { reserve: async () => {}, settle: async () => {}, headers: () => ({}) }

function amountOf({ inputTokens, outputTokens, cost = 0 }: Spending): Amount {
  return { tokens: inputTokens + outputTokens, cost }
}

/** Throws if a request was not let in. */
function check({ used, reached }: Verdict, { client }: OpenRequest, limits: ClientLimits): Used {
  if (!reached) return used
  const { what, seconds } = reached
  throw new ApiError(429, `${client} has used its ${what}; try again in ${seconds} s`, {
    code: 'rate_limit_exceeded',
    headers: { 'retry-after': String(seconds), ...rateHeaders(limits, used) },
  })
}
