/** How many servers of one kind a request has come through, kept along the calls that it leads to. */
import { AsyncLocalStorage } from 'node:async_hooks'

/** Holds the number to send on; empty where nothing has come through a server yet. */
export const hops = new AsyncLocalStorage<number>()
