/**
 * An OpenAI-compatible server that writes a token of every stream in each step, as one that batches does: a step's n
 * deltas of a request are one write. A request with `stream: false` gets all at the end. Flags: `--rate` steps per second; `--tokens` of a stream, default `max_tokens` of the
 * request. Prints its address.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { parseArgs } from 'node:util'

const { values: flags } = parseArgs({
  options: { rate: { type: 'string', default: '50' }, tokens: { type: 'string' } },
})
const stepMs = 1_000 / Number(flags.rate)

interface Stream {
  response: ServerResponse
  n: number
  left: number
  tokens: number
  isWhole: boolean
}
const streams = new Set<Stream>()

createServer(async (request, response) => {
  const { n = 1, max_tokens, stream: isStreamed } = JSON.parse(await readBody(request))
  const tokens = Number(flags.tokens ?? max_tokens)
  const isWhole = isStreamed === false
  response.writeHead(200, { 'content-type': isWhole ? 'application/json' : 'text/event-stream' })
  const stream = { response, n, left: tokens, tokens, isWhole }
  streams.add(stream)
  response.once('close', () => streams.delete(stream))
}).listen(0, '127.0.0.1', function (this: { address(): unknown }) {
  console.log(`http://127.0.0.1:${(this.address() as AddressInfo).port}/v1#paced`)
})

/** A late step does not make the next one late. */
let next = performance.now()
function step(): void {
  for (const stream of streams) writeStep(stream)
  next += stepMs
  setTimeout(step, Math.max(0, next - performance.now()))
}
step()

function writeStep(stream: Stream): void {
  const { response, n, tokens, isWhole } = stream
  if (stream.left-- > 0) {
    if (!isWhole) response.write(eachChoice(n, stream.left))
    return
  }
  streams.delete(stream)
  const usage = { prompt_tokens: 100, completion_tokens: n * tokens, total_tokens: 100 + n * tokens }
  if (isWhole) return void response.end(JSON.stringify({ choices: wholeChoices(n, tokens), usage }))
  response.end(`${eachChoice(n)}${event({ choices: [], usage })}data: [DONE]\n\n`)
}

/** Words that differ: a text that repeats itself is left out of what an aggregator is shown. */
function eachChoice(n: number, left?: number): string {
  const finish_reason = left === undefined ? 'length' : null
  let text = ''
  for (let index = 0; index < n; index++) {
    const delta = left === undefined ? {} : { content: wordOf(left, index) }
    text += event({ choices: [{ index, delta, finish_reason }] })
  }
  return text
}

/** The same texts as by a stream. */
function wholeChoices(n: number, tokens: number): object[] {
  return Array.from({ length: n }, (_, index) => {
    const words = Array.from({ length: tokens }, (_, i) => wordOf(tokens - 1 - i, index))
    return { index, message: { role: 'assistant', content: words.join('') }, finish_reason: 'length' }
  })
}

const wordOf = (left: number, index: number) => ` word${(left + 1) * (index + 7)}`

function event(fields: object): string {
  const chunk = { id: 'chat-1', object: 'chat.completion.chunk', created: 1, model: 'paced', ...fields }
  return `data: ${JSON.stringify(chunk)}\n\n`
}

async function readBody(request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const piece of request) body += piece
  return body
}
