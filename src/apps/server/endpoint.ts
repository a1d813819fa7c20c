/** What all endpoints have in common: they read a body, and write an answer in their own form. */
import type { Answered, Ask, Sink } from '../../request/live.ts'
import type { Offer } from '../../request/plans.ts'
import type { EventStream } from './sse.ts'

/** The same in all events of an answer. */
export interface Stamp {
  id: string
  /** Seconds since 1970. */
  created: number
  model: string
}

/** A body, read and checked. */
export interface WireRequest {
  ask: Ask
  isStream: boolean
  /** Unknown fields. */
  ignored: string[]
}

/** A wire: how requests are read from it, and answers written to it. */
export interface Endpoint<R extends WireRequest> {
  /** What the id of an answer starts with. */
  idPrefix: string
  /** Reads a body. @throws ApiError or UsageError with the wrong field */
  read(body: unknown, offer: Offer): R
  /** The whole answer as one object. */
  whole(answered: Answered, request: R, stamp: Stamp): object
  /**
   * Sends an answer as events. It does not reject: a failure is an event.
   * @param run answers, and sends the pieces to the sink
   */
  write(
    stream: EventStream,
    of: { request: R; stamp: Stamp },
    run: (sink: Sink) => Promise<Answered>,
  ): Promise<void>
}
