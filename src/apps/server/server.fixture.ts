/** For tests: a server on loopback, and the official client for it. */
import { OpenAI } from 'openai'
import { onTestFinished } from 'vitest'
import type { Engine } from '../../core/provider/engine.ts'
import { type ListenOptions, listen } from './listen.ts'
import { createServer, type ServerOptions } from './server.ts'

/** A listening server, with ways to call it. */
export interface Started {
  url: string
  client: OpenAI
  post(body: unknown, init?: RequestInit): Promise<Response>
  close(timeoutMs?: number): Promise<void>
}

/** Starts a server on a free port until the test has finished. */
export async function startServer(
  engine: Engine,
  options: Partial<ServerOptions> = {},
  apiKey = 'none',
  listenOptions: Partial<ListenOptions> = {},
): Promise<Started> {
  const server = createServer({ engines: { one: engine }, ...options })
  const { url, close } = await listen(server, { host: '127.0.0.1', port: 0, ...listenOptions })
  onTestFinished(() => close(0))
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 })
  const post: Started['post'] = (body, init) =>
    fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...init?.headers },
      body: typeof body === 'string' || body instanceof Uint8Array ? (body as string) : JSON.stringify(body),
      signal: init?.signal,
    })
  return { url, client, post, close: (timeoutMs = 0) => close(timeoutMs) }
}

/** Reads and parses the data lines of a stream. */
export async function readEvents(response: Response): Promise<(Record<string, unknown> | '[DONE]')[]> {
  const text = await response.text()
  return [...text.matchAll(/^data: (.*)$/gm)].map(([, line = '']) =>
    line === '[DONE]' ? line : JSON.parse(line),
  )
}

/** Makes messages with one question. */
export const user = (content: string) => [{ role: 'user' as const, content }]
