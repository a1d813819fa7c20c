/** One loopback server for all dialects. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Engine } from '../../src/core/provider/engine.ts'
import { type OpenAIOptions, openOpenAI } from '../../src/engines/openai/openai.ts'
import { type Asked, countTokens, type Dialect, type Refusal, type Said, type Trouble } from './dialect.ts'

/** What a server does in a situation. */
export interface Script {
  /** What the choices of a request say. */
  say(asked: Asked): Said
  /** What happens to the first requests that are not refused, in order. */
  faults?: ('busy' | 'cut' | Trouble)[]
  /** Tokens that a prompt may have. */
  context?: number
}

/** A server in a situation, and an engine for it. */
export interface Opened {
  dialect: Dialect
  engine: Engine
  /** The requests that were answered, not refused. */
  taken: Asked[]
  refused: Asked[]
}

export interface Loopback {
  open(dialect: Dialect, script: Script, options?: Partial<OpenAIOptions>): Opened
  close(): Promise<void>
}

/** Starts the server. */
export async function startLoopback(): Promise<Loopback> {
  const rooms: { opened: Opened; script: Script }[] = []
  const server = createServer(async (request, response) => {
    const asked = await readAsked(request)
    const [, number = '', url = ''] = /^\/(\d+)(\/.*)$/.exec(asked.url) ?? []
    const { opened, script } = rooms[Number(number)] as (typeof rooms)[number]
    respond(opened, script, { ...asked, url }, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    open(dialect, script, options) {
      const toHere = (address: string) => {
        const { pathname, search } = new URL(address)
        return `http://127.0.0.1:${port}/${number}${pathname}${search}`
      }
      // What the engine knows of a host by its name stays true only at that name.
      const isNamed = /\.openai\.(com|azure\.com)\//.test(dialect.address)
      const fetch: typeof globalThis.fetch = (address, request) =>
        globalThis.fetch(toHere(String(address)), request)
      const number = rooms.length
      const engine = openOpenAI({
        baseURL: isNamed ? dialect.address : toHere(dialect.address),
        model: 'm',
        id: 'm',
        env: {},
        ...(dialect.headers ? { headers: dialect.headers } : { apiKey: 'key-of-a-test' }),
        concurrency: 10_000,
        ...(isNamed && { fetch }),
        ...options,
      })
      const opened = { dialect, engine, taken: [], refused: [] }
      rooms.push({ opened, script: { ...script, faults: [...(script.faults ?? [])] } })
      return opened
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function readAsked(request: IncomingMessage): Promise<Asked> {
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(piece)
  const body = JSON.parse(Buffer.concat(pieces).toString())
  return { body, headers: request.headers, url: request.url ?? '' }
}

function respond(
  { dialect, taken, refused }: Opened,
  script: Script,
  asked: Asked,
  response: ServerResponse,
) {
  const refusal = dialect.refuse?.(asked) ?? whyTooLong(dialect, script, asked)
  if (refusal !== undefined) {
    refused.push(asked)
    return typeof refusal === 'string' ? stream(dialect, response, refusal) : refuse(response, refusal)
  }
  const fault = script.faults?.shift()
  if (fault === 'busy') return refuse(response, dialect.busy)
  taken.push(asked)
  const said = script.say(asked)
  if (asked.body.stream !== true) return answerWhole(dialect, said, asked, { response, fault })
  const events = eventsOf(dialect, said, asked)
  if (fault === undefined) return stream(dialect, response, events.join(''))
  const begun = events.slice(0, 2).join('')
  if (fault !== 'cut') return stream(dialect, response, begun + dialect.breaks(fault))
  response.writeHead(200, { 'content-type': dialect.label })
  response.write(begun)
  setTimeout(() => response.destroy(), 5)
}

function whyTooLong({ tooLong }: Dialect, { context }: Script, asked: Asked): Refusal | string | undefined {
  const prompt = countTokens(asked)
  return context !== undefined && prompt > context ? tooLong?.({ prompt, context }) : undefined
}

function refuse(response: ServerResponse, { status, body }: Refusal): void {
  response.writeHead(status, { 'content-type': 'application/json', 'retry-after-ms': '1' })
  response.end(typeof body === 'string' ? body : JSON.stringify(body))
}

function stream(dialect: Dialect, response: ServerResponse, text: string): void {
  response.writeHead(200, { 'content-type': dialect.label })
  response.end(text)
}

/** All that a stream holds, chunk by chunk. */
function eventsOf(dialect: Dialect, said: Said, asked: Asked): string[] {
  const n = dialect.ignoresN ? 1 : (asked.body.n ?? 1)
  const indexes = Array.from({ length: n }, (_, index) => index)
  const word = dialect.finish(said)
  const each = dialect.finishesEachPiece ? word : null
  const pieces = dialect
    .deltas(said)
    .flatMap((delta) => indexes.map((index) => ({ choices: [{ index, delta, finish_reason: each }] })))
  const usage = dialect.usage(asked, n)
  const ends = indexes.map((index) => {
    const choice = { index, delta: {}, finish_reason: word }
    return { choices: [choice], ...(index === n - 1 && dialect.atEnd?.(usage, choice)) }
  })
  const last = dialect.last(usage, asked)
  const chunks = [...(dialect.first ?? []), ...pieces, ...(word === null ? [] : ends), ...last]
  return [...chunks.map(dialect.frame), dialect.done]
}

function answerWhole(
  dialect: Dialect,
  said: Said,
  asked: Asked,
  { response, fault }: { response: ServerResponse; fault?: 'cut' | Trouble },
): void {
  const n = dialect.ignoresN ? 1 : (asked.body.n ?? 1)
  const choices = Array.from({ length: n }, (_, index) => {
    return { index, message: dialect.message(said), finish_reason: dialect.finish(said) }
  })
  const text = JSON.stringify({ object: 'chat.completion', choices, usage: dialect.usage(asked, n) })
  response.writeHead(200, { 'content-type': 'application/json' })
  if (fault === undefined) return void response.end(text)
  if (fault === 'cut') return void response.end(text.slice(0, text.length >> 1))
  response.end(JSON.stringify({ error: { message: fault.message, code: fault.status } }))
}
