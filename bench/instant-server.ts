/** An OpenAI-compatible server that answers at once, so that only the run's own time is measured. Prints its address. */
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

const WORDS = 40
const CHUNKS = 2
const text = Array.from({ length: WORDS / CHUNKS }, (_, i) => ` word${i}`).join('')

createServer(async (request, response) => {
  const { n = 1 } = JSON.parse(await readBody(request))
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  for (let chunk = 0; chunk < CHUNKS; chunk++) response.write(eachChoice(n, { content: text }, null))
  response.write(eachChoice(n, {}, 'stop'))
  const usage = { prompt_tokens: 100, completion_tokens: n * WORDS, total_tokens: 100 + n * WORDS }
  response.end(`${event({ choices: [], usage })}data: [DONE]\n\n`)
}).listen(0, '127.0.0.1', function (this: { address(): unknown }) {
  console.log(`http://127.0.0.1:${(this.address() as AddressInfo).port}/v1#instant`)
})

function eachChoice(n: number, delta: object, finish_reason: string | null): string {
  return Array.from({ length: n }, (_, index) => event({ choices: [{ index, delta, finish_reason }] })).join(
    '',
  )
}

function event(fields: object): string {
  const chunk = { id: 'chat-1', object: 'chat.completion.chunk', created: 1, model: 'instant', ...fields }
  return `data: ${JSON.stringify(chunk)}\n\n`
}

async function readBody(request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const piece of request) body += piece
  return body
}
