/** What a run says of its queue. In a file of its own: who imports its type needs no package of queues. */

/** A queue that spreads the prompts of a run over workers. */
export interface QueueOptions {
  /** `redis://HOST:PORT/DATABASE`. */
  address: string
  /** Name of the run in the queue; default made from the journal's path. */
  run?: string
  /** Prompts in the queue at most; default twice as many as the workers take at a time. */
  window?: number
  onNote?: (note: string) => void
}
