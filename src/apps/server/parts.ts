/** The parts of a server. The routes use them and keep no state of their own. */
import type { Context } from 'hono'
import type { Wordings } from '../../plans/wording.ts'
import type { DraftStore } from '../../request/drafts.ts'
import type { Offer } from '../../request/plans.ts'
import type { Price } from '../../run/budget.ts'
import type { Allowance } from './allowance.ts'
import type { ApiError } from './api-error.ts'
import type { Drain } from './drain.ts'
import type { Metrics } from './metrics.ts'
import type { Names } from './names.ts'
import type { Queue } from './queue.ts'

/** The parts that answering needs. */
export interface Parts {
  names: Names
  offer: Offer
  wordings: Wordings
  /** The drafts of turns whose loop of tool calls may go on. */
  drafts: DraftStore
  /** By the engines' public names. */
  prices: Record<string, Price | undefined>
  allowance: Allowance
  queue: Queue
  metrics: Metrics
  drain: Drain
  /** Writes to the operator's log and hides everything that looks like a key. */
  log(text: string): void
  /** Turns any error into one for the client. A fault of the server itself is logged. */
  toKnown(error: unknown): ApiError
}

/** What an outer server may know about a request that it passes on. */
export interface HostEnv {
  /** The client's address. It identifies the client if there are no keys. */
  client?: string | undefined
  /** Node's request, if Hono or Express on Node passes it on. */
  incoming?: { url?: string | undefined; originalUrl?: string | undefined }
}

/** The values that Hono keeps per request. */
export interface Env {
  Bindings: HostEnv | undefined
  /** `client` is the name of the client's key, or its address. */
  Variables: { client: string }
}

/** Hono's context of a request, with these values. */
export type RequestContext = Context<Env>

/** Returns the time in seconds since 1970, as the wire format has it. */
export function nowSeconds(): number {
  return Math.floor(Date.now() / 1_000)
}
