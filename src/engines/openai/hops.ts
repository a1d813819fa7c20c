/** How many servers of this project a request has passed through, kept across the calls that it leads to. */
import { AsyncLocalStorage } from 'node:async_hooks'

/** The number to send with the next request; empty outside a server. */
export const hops = new AsyncLocalStorage<number>()
