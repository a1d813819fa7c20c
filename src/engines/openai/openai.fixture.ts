/** A chat-completions server on loopback that does what each test tells it: for the tests of the openai engine. */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import type {
  CompletionEnd,
  CompletionRequest,
  Engine,
  EngineEvent,
  Message,
} from '../../core/provider/engine.ts'
import { randomFrom } from '../../lib/random.ts'
import { type OpenAIOptions, openOpenAI } from './openai.ts'

/** The body of a request, as far as tests look at it. */
export interface Body {
  model: string
  messages: Message[]
  n?: number
  seed: number
  max_tokens?: number
  stop?: string[]
  [other: string]: unknown
}

/** One request, and the means to answer it. */
export interface Asked {
  path: string
  body: Body
  headers: IncomingHttpHeaders
  /** Which request of the server's life it is, from 0. */
  number: number
  response: ServerResponse
  /** Resolves when the connection is closed. */
  closed: Promise<void>
  isClosed: boolean
  /** Sends chunks, each as an event. */
  send(...chunks: object[]): void
  done(): void
  refuse(status: number, body: object | string, headers?: Record<string, string>): void
}

export interface Fixture {
  baseURL: string
  asked: Asked[]
  close(): Promise<void>
}

export type Answer = (asked: Asked) => void | Promise<void>

/** Starts a server. Each request is answered by the answer of its number, and by the last where there are more. */
export async function startFixture(...answers: Answer[]): Promise<Fixture> {
  const asked: Asked[] = []
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece)
    const body = JSON.parse(Buffer.concat(pieces).toString())
    const one = toAsked(body, request, asked.length, response)
    asked.push(one)
    await answers[Math.min(one.number, answers.length - 1)]?.(one)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return { baseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, asked, close }
}

function toAsked(body: Body, request: IncomingMessage, number: number, response: ServerResponse): Asked {
  const asked: Asked = {
    path: request.url ?? '',
    body,
    headers: request.headers,
    number,
    response,
    isClosed: false,
    closed: new Promise((resolve) =>
      response.on('close', () => {
        asked.isClosed = true
        resolve()
      }),
    ),
    send(...chunks) {
      if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join(''))
    },
    done: () => void response.end('data: [DONE]\n\n'),
    refuse(status, error, more = {}) {
      response.writeHead(status, { 'content-type': 'application/json', ...more })
      response.end(typeof error === 'string' ? error : JSON.stringify(error))
    },
  }
  return asked
}

/** A chunk with a piece of a completion. */
export function delta(index: number, content: string | object, finish_reason: string | null = null) {
  return { choices: [{ index, delta: typeof content === 'string' ? { content } : content, finish_reason }] }
}

export function finish(index: number, reason = 'stop') {
  return delta(index, {}, reason)
}

/** A chunk with usage and nothing else. */
export function usage(prompt_tokens: number, completion_tokens: number, more: object = {}) {
  return {
    choices: [],
    usage: { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens, ...more },
  }
}

export interface ModelOptions {
  /** Answers one choice, whatever `n` is. */
  ignoresN?: boolean
  /** What usage stands for: all choices (default), one only, each in a chunk of its own (llama-server), or nothing. */
  usage?: 'all' | 'one' | 'each' | 'none'
  contextLength?: number
  text?: (seed: number) => string
  /** Milliseconds before each token. */
  delayMs?: number
}

/** A model that writes words by seed, one a token; choice i has the request's seed + i. */
export function model(options: ModelOptions = {}): Answer {
  return async (asked) => {
    const { body } = asked
    const promptTokens = countWords(body.messages.map((m) => String(m.content)).join(' '))
    const limit = body.max_tokens ?? 64
    const context = options.contextLength ?? Number.POSITIVE_INFINITY
    if (promptTokens + limit > context) {
      const message = `This model's maximum context length is ${context} tokens. However, you requested ${promptTokens + limit} tokens (${promptTokens} in the messages, ${limit} in the completion).`
      return asked.refuse(400, { error: { message, code: 'context_length_exceeded' } })
    }
    const n = options.ignoresN ? 1 : (body.n ?? 1)
    const texts = Array.from({ length: n }, (_, i) => (options.text ?? writeWords)(body.seed + i))
    const choices = texts.map((text) => cut(text, limit, body.stop ?? []))
    await stream(asked, choices, { ...options, promptTokens })
  }
}

async function stream(
  asked: Asked,
  choices: { tokens: string[]; reason: string }[],
  options: ModelOptions & { promptTokens: number },
): Promise<void> {
  const { promptTokens, usage: told = 'all', delayMs = 0 } = options
  const longest = Math.max(...choices.map((c) => c.tokens.length))
  for (let at = 0; at <= longest && !asked.isClosed; at++) {
    if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs))
    for (const [i, { tokens, reason }] of choices.entries()) {
      if (at === 0) asked.send(delta(i, { role: 'assistant', content: '' }))
      if (at < tokens.length) asked.send(delta(i, tokens[at] as string))
      if (at === tokens.length) asked.send(finish(i, reason))
      if (at === tokens.length && told === 'each') asked.send(usage(promptTokens, tokens.length))
    }
  }
  const all = choices.reduce((sum, c) => sum + c.tokens.length, 0)
  if (told === 'all') asked.send(usage(promptTokens, all, { prompt_tokens_details: { cached_tokens: 1 } }))
  if (told === 'one') asked.send(usage(promptTokens, choices[0]?.tokens.length ?? 0))
  asked.done()
}

function writeWords(seed: number): string {
  const random = randomFrom(seed)
  const words = ['sea', 'lamp', 'gull', 'storm', 'rope', 'stair', 'glass', 'night']
  return Array.from({ length: 40 }, () => `${words[Math.floor(random() * words.length)]} `).join('')
}

function cut(text: string, limit: number, stops: string[]): { tokens: string[]; reason: string } {
  const tokens = text.match(/\S+\s*|\s+/g) ?? []
  const isCut = tokens.length > limit
  const whole = tokens.slice(0, limit).join('')
  const at = stops.map((stop) => whole.indexOf(stop)).filter((i) => i >= 0)
  if (at.length === 0) return { tokens: tokens.slice(0, limit), reason: isCut ? 'length' : 'stop' }
  return { tokens: whole.slice(0, Math.min(...at)).match(/\S+\s*|\s+/g) ?? [], reason: 'stop' }
}

function countWords(text: string): number {
  return text.match(/\S+/g)?.length ?? 0
}

/**
 * An engine at a server of its own. Both are closed when the test ends: the next server may get the same port, and an
 * address keeps its number of places as long as an engine is open there.
 */
export async function open(options: Partial<OpenAIOptions>, ...answers: Answer[]) {
  const fixture = await startFixture(...answers)
  const engine = openOpenAI({ baseURL: fixture.baseURL, model: 'fixture', env: {}, ...options })
  onTestFinished(async () => {
    await engine.close?.()
    await fixture.close()
  })
  return { engine, fixture, asked: fixture.asked }
}

export function toRequest({ n = 1, ...more }: Partial<CompletionRequest> = {}): CompletionRequest {
  const messages = [{ role: 'user' as const, content: 'Why is the sky blue?' }]
  const seeds = Array.from({ length: n }, (_, i) => 100 + i)
  return { messages, n, seeds, sampling: { maxTokens: 8 }, ...more }
}

/** All events of one request; ends by index. */
export async function collect(
  engine: Engine,
  more?: Partial<CompletionRequest>,
  onEvent?: (event: EngineEvent) => unknown,
) {
  const events: EngineEvent[] = []
  for await (const event of engine.generate(toRequest(more))) {
    events.push(event)
    onEvent?.(event)
  }
  const ends = events.filter((e) => e.type === 'completion-end').sort((a, b) => a.index - b.index)
  return { events, ends, failures: events.filter((e) => e.type === 'completion-failed') }
}

export const sumOf = (ends: CompletionEnd[], key: 'calls' | 'inputTokens' | 'outputTokens') =>
  ends.reduce((sum, end) => sum + end.usage[key], 0)

/** Answers with these chunks. */
export const sendAll = (...chunks: object[]): Answer => {
  return (asked) => {
    asked.send(...chunks)
    asked.done()
  }
}

/** Answers with one text and its end. */
export const say = (text: string, reason = 'stop') => sendAll(delta(0, text), finish(0, reason), usage(6, 1))

/** Refuses, with leave to come back at once. */
export const refuse = (status: number, message = 'no'): Answer => {
  return (asked) => asked.refuse(status, { error: { message } }, { 'retry-after-ms': '1' })
}
