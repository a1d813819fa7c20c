/** For tests: a chat-completions server on loopback. An engine answers, streamed, one choice per request. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { CompletionRequest, Engine, EngineEvent } from '../src/core/provider/engine.ts'
import { EngineError } from '../src/core/provider/errors.ts'

/** The fields of a request's body that tests look at. */
export type ChatBody = Record<string, unknown> & {
  messages: CompletionRequest['messages']
  max_tokens: number
  seed?: number
  stop?: string[]
}

export interface ChatServer {
  baseURL: string
  bodies: ChatBody[]
  /** The authorization header of each request. */
  keys: (string | undefined)[]
  /** Number of requests with an open connection. */
  open: () => number
  close: () => Promise<void>
}

/** What happens instead of an answer; returns `true` if it handled the request. */
export type Fault = (response: ServerResponse, body: ChatBody, request: number) => boolean

export async function startChatServer(engine: Engine, fault: Fault = () => false): Promise<ChatServer> {
  const bodies: ChatBody[] = []
  const keys: ChatServer['keys'] = []
  let open = 0
  const server = createServer(async (request, response) => {
    open++
    const caller = new AbortController()
    response.on('close', () => {
      open--
      caller.abort()
    })
    const body = await readBody(request)
    bodies.push(body)
    keys.push(request.headers.authorization)
    if (!fault(response, body, bodies.length)) await answer(engine, body, response, caller.signal)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const close = () => {
    server.closeAllConnections()
    return new Promise<void>((resolve) => server.close(() => resolve()))
  }
  return { baseURL: `http://127.0.0.1:${port}/v1`, bodies, keys, open: () => open, close }
}

async function readBody(request: IncomingMessage): Promise<ChatBody> {
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(piece)
  return JSON.parse(Buffer.concat(pieces).toString())
}

async function answer(engine: Engine, body: ChatBody, response: ServerResponse, signal: AbortSignal) {
  const { messages, max_tokens: maxTokens, seed = 0, stop } = body
  const request = { messages, n: 1, seeds: [seed], sampling: { maxTokens }, stop, signal }
  try {
    for await (const event of engine.generate(request)) await tell(event, response)
  } catch (error) {
    const status = error instanceof EngineError && error.kind === 'context-overflow' ? 400 : 500
    const message = `context length: ${(error as Error).message}`
    response
      .writeHead(status, { 'content-type': 'application/json' })
      .end(JSON.stringify({ error: { message } }))
  }
}

async function tell(event: EngineEvent, response: ServerResponse): Promise<void> {
  if (event.type === 'completion-delta') await send(response, choice({ content: event.text }))
  if (event.type === 'reasoning-delta') await send(response, choice({ reasoning_content: event.text }))
  if (event.type === 'tool-call-delta') {
    const { position: index, id, ...call } = event.delta
    await send(response, choice({ tool_calls: [{ index, id, type: 'function', function: call }] }))
  }
  if (event.type === 'completion-failed') response.destroy()
  if (event.type === 'completion-end') {
    await send(response, choice({}, event.finishReason.replace('-', '_')))
    const { inputTokens: prompt_tokens, outputTokens: completion_tokens } = event.usage
    const total_tokens = prompt_tokens + completion_tokens
    await send(response, { choices: [], usage: { prompt_tokens, completion_tokens, total_tokens } })
    response.end('data: [DONE]\n\n')
  }
}

/** One chunk's choice. */
export function choice(delta: object, finish_reason: string | null = null) {
  return { choices: [{ index: 0, delta, finish_reason }] }
}

/** Sends a chunk in two pieces. If it has a character of several bytes, they are split within it. */
export async function send(response: ServerResponse, chunk: object): Promise<void> {
  if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' })
  const line = { id: 'chat', object: 'chat.completion.chunk', created: 1, model: 'scripted', ...chunk }
  const bytes = Buffer.from(`data: ${JSON.stringify(line)}\n\n`)
  const cut = bytes.findIndex((byte) => byte > 127) + 1
  response.write(bytes.subarray(0, cut))
  if (cut > 0) await new Promise((resolve) => setTimeout(resolve, 1))
  response.write(bytes.subarray(cut))
}
