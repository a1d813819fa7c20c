/** The form of an endpoint: it reads a body, and writes an answer in its own format. */
import type { Answered, Ask, Sink } from '../../request/live.ts'
import type { Offer } from '../../request/plans.ts'
import type { EventStream } from './sse.ts'

/** Fields that are the same in all events of an answer. */
export interface Stamp {
  id: string
  /** Seconds since 1970. */
  created: number
  model: string
}

/** A request that was read and checked. */
export interface WireRequest {
  ask: Ask
  isStream: boolean
  /** Names of unknown fields. */
  ignored: string[]
}

/** Reads requests and writes answers in one wire format. */
export interface Endpoint<R extends WireRequest> {
  /** The start of an answer's id. */
  idPrefix: string
  /**
   * Reads a body.
   * @param client who asks
   * @throws ApiError or UsageError with the wrong field
   */
  read(body: unknown, offer: Offer, client: string): R
  /** Makes the whole answer, as one object. */
  whole(answered: Answered, request: R, stamp: Stamp): object
  /**
   * Sends an answer as events. It does not reject: a failure is an event.
   * @param run answers, and sends pieces to the sink
   */
  write(
    stream: EventStream,
    of: { request: R; stamp: Stamp },
    run: (sink: Sink) => Promise<Answered>,
  ): Promise<void>
}
