/** What the two endpoints have in common: a body is read, answered, and written in the endpoint's own form. */
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
  /** Fields that nobody here knows. */
  ignored: string[]
}

export interface Endpoint<R extends WireRequest> {
  /** Before the number of an answer. */
  idPrefix: string
  /** @throws ApiError 400 with the field that is wrong, 404 for an unknown model */
  read(body: unknown, offer: Offer): R
  /** The whole answer as one object. */
  whole(answered: Answered, request: R, stamp: Stamp): object
  /**
   * Sends an answer as events; it does not reject: a failure is an event.
   * @param run answers, and sends the pieces to the sink
   */
  write(
    stream: EventStream,
    of: { request: R; stamp: Stamp },
    run: (sink: Sink) => Promise<Answered>,
  ): Promise<void>
}
