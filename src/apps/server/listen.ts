/** A server on Node's own HTTP. */
import type { AddressInfo } from 'node:net'
import { createAdaptorServer, type HttpBindings } from '@hono/node-server'
import { UsageError } from '../../core/errors.ts'
import type { AftServer } from './server.ts'

export interface Listening {
  /** Such as `http://127.0.0.1:8080`. */
  url: string
  /** Drains for at most `timeoutMs`, then closes every connection. */
  close(timeoutMs: number): Promise<void>
}

/**
 * Listens. Port 0 takes a free one.
 * @throws UsageError where the port is taken or the address is not this machine's
 */
export async function listen(
  server: AftServer,
  { host, port }: { host: string; port: number },
): Promise<Listening> {
  const http = createAdaptorServer({
    fetch: (request, env) => {
      const { incoming } = env as HttpBindings
      return server.fetch(request, { client: incoming.socket.remoteAddress })
    },
  })
  await new Promise<void>((resolve, reject) => {
    http.once('error', (error) =>
      reject(new UsageError(`cannot listen on ${host}:${port}: ${error.message}`)),
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

/** Whether only this machine can reach an address to listen on. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}
