/** Serves over Node's own HTTP. */
import type { AddressInfo } from 'node:net'
import { createAdaptorServer, type HttpBindings } from '@hono/node-server'
import { UsageError } from '../../core/provider/errors.ts'
import { toApiError } from './api-error.ts'
import { checkHost } from './gate.ts'
import type { AftServer } from './server.ts'

/** A server that listens. */
export interface Listening {
  /** Such as `http://127.0.0.1:8080`. */
  url: string
  /** Drains for at most `timeoutMs`, then closes every connection. */
  close(timeoutMs: number): Promise<void>
}

/** Options of listening. */
export interface ListenOptions {
  host: string
  /** 0 takes a free port. */
  port: number
  /** Extra Host names to accept on loopback. */
  allowHost?: string[]
  /** Time limit for the headers of a request; default 10,000. `requestTimeoutMs`: for the whole request; default 60,000. */
  headersTimeoutMs?: number
  requestTimeoutMs?: number
}

/** Time to keep an idle connection. It is longer than in proxies, so that they never send on a closing connection. */
const KEEP_ALIVE_TIMEOUT_MS = 75_000

function explain({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'EADDRINUSE') return 'another program listens there; give another --port (0 takes a free one)'
  if (code === 'EADDRNOTAVAIL') return 'this machine does not have that address; give another --host'
  if (code === 'EACCES') return 'the system does not allow this port; give a --port from 1024'
  return message
}

/**
 * Listens on Node's HTTP server.
 * @throws UsageError if the port is taken, the address is not one of this machine, or an allowed name is no host name
 */
export async function listen(
  server: AftServer,
  { host, port, allowHost = [], headersTimeoutMs = 10_000, requestTimeoutMs = 60_000 }: ListenOptions,
): Promise<Listening> {
  const wrong = allowHost.find((name) => !/^[\w.-]+$/.test(name))
  if (wrong !== undefined)
    throw new UsageError(
      `--allow-host: expected a host name such as chat.example, without port, got "${wrong}"`,
    )
  const isLocal = isLoopback(host)
  const http = createAdaptorServer({
    fetch: (request, env) => {
      const { incoming } = env as HttpBindings
      try {
        if (isLocal) checkHost(incoming.headers.host, allowHost)
      } catch (error) {
        const known = toApiError(error)
        return Response.json(known.toJSON(), { status: known.status })
      }
      return server.fetch(request, { client: incoming.socket.remoteAddress })
    },
    serverOptions: {
      headersTimeout: headersTimeoutMs,
      requestTimeout: requestTimeoutMs,
      connectionsCheckingInterval: Math.min(headersTimeoutMs, 5_000),
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    },
  })
  await new Promise<void>((resolve, reject) => {
    http.once('error', (error) =>
      reject(new UsageError(`cannot listen on ${host}:${port}: ${explain(error)}`)),
    )
    http.listen(port, host, resolve)
  })
  const { port: taken } = http.address() as AddressInfo
  const close = async (timeoutMs: number) => {
    const closed = new Promise<void>((resolve) => http.close(() => resolve()))
    await server.drain(timeoutMs)
    if ('closeIdleConnections' in http) http.closeIdleConnections()
    const cut = setTimeout(() => 'closeAllConnections' in http && http.closeAllConnections(), 1_000)
    await closed
    clearTimeout(cut)
  }
  return { url: `http://${host.includes(':') ? `[${host}]` : host}:${taken}`, close }
}

/** Says whether only this machine can reach a host to listen on. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}
