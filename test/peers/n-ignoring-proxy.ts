/** A real server behind a door that drops `n`, as servers do that know one choice only. */
import http from 'node:http'
import type { AddressInfo } from 'node:net'

/** Forwards everything to `target` (ending in `/v1`), but for `n` in a request's body. */
export async function startProxyWithoutN(target: string): Promise<{ url: string; close(): Promise<void> }> {
  const server = http.createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const { n, ...body } = JSON.parse(Buffer.concat(chunks).toString())
    const leave = new AbortController()
    response.once('close', () => leave.abort())
    try {
      const upstream = await fetch(target.replace(/\/v1$/, '') + request.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal: leave.signal,
      })
      response.writeHead(upstream.status, {
        'content-type': upstream.headers.get('content-type') ?? 'text/plain',
      })
      for await (const chunk of upstream.body ?? []) response.write(chunk)
      response.end()
    } catch {
      response.destroy()
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/v1`,
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}
