/** For tests: mounts a server under a path of another one, as in Hono and as in Express. */
import { once } from 'node:events'
import { createServer as createHttpServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import { onTestFinished } from 'vitest'
import type { AftServer } from './server.ts'

/** Per framework, a listener that has the server at `/llm` and answers `elsewhere` at all other paths. */
export const mounts: Record<'Hono' | 'Express', (server: AftServer) => RequestListener> = {
  Hono: (server) => {
    const app = new Hono()
    app.mount('/llm', server.fetch)
    app.notFound((c) => c.text('elsewhere', 404))
    return getRequestListener(app.fetch)
  },
  // Does what `app.use('/llm', getRequestListener(server.fetch))` does: it removes the path, and `originalUrl` keeps it.
  Express: (server) => {
    const listener = getRequestListener(server.fetch)
    return (request, response) => {
      const { url = '/' } = request
      if (!/^\/llm(?=[/?]|$)/.test(url)) return void response.writeHead(404).end('elsewhere')
      const rest = url.slice('/llm'.length)
      const stripped = rest.startsWith('/') ? rest : `/${rest}`
      return listener(Object.assign(request, { originalUrl: url, url: stripped }), response)
    }
  },
}

/** Listens until the test has finished; returns the address of the outer server. */
export async function listenWith(listener: RequestListener): Promise<string> {
  const http = createHttpServer(listener).listen(0, '127.0.0.1')
  await once(http, 'listening')
  onTestFinished(() => {
    http.closeAllConnections()
    http.close()
  })
  return `http://127.0.0.1:${(http.address() as AddressInfo).port}`
}
