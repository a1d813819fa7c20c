/** What a server is made of: the routes are given these and hold nothing of their own. */
import type { Context } from 'hono'
import type { Template } from '../../core/templates.ts'
import type { Offer } from '../../request/plans.ts'
import type { ApiError } from './api-error.ts'
import type { Drain } from './drain.ts'
import type { Metrics } from './metrics.ts'
import type { Names } from './names.ts'
import type { Queue } from './queue.ts'

/** The parts that answering needs. */
export interface Parts {
  names: Names
  offer: Offer
  template: Template
  queue: Queue
  metrics: Metrics
  drain: Drain
  /** Writes to the operator's log; what looks like a key is hidden. */
  log(text: string): void
  /** Any error as one that can be answered. A fault of the server itself is logged. */
  toKnown(error: unknown): ApiError
}

/** What a server that hands requests over may know of them. */
export interface HostEnv {
  /** Who asks if no key says it: an address. */
  client?: string | undefined
  /** Node's request, as Hono and Express on Node have it. */
  incoming?: { url?: string | undefined; originalUrl?: string | undefined }
}

/** What Hono keeps per request. */
export interface Env {
  Bindings: HostEnv | undefined
  /** The name by which the client is known. */
  Variables: { client: string }
}

/** A request with these variables. */
export type RequestContext = Context<Env>

/** As the wire has times. */
export function nowSeconds(): number {
  return Math.floor(Date.now() / 1_000)
}
