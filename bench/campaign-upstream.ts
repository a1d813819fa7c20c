/**
 * An OpenAI-compatible server for campaigns. Its text is a function of messages and seed, so a completion is the same whenever
 * it is asked for, and each one that it sends whole is written to a log. `POST /storm {"share": 0.5, "ms": 1000}` has it
 * misbehave for a while. Flags: `--port`, `--log FILE`, `--ms` for a request. Prints its address.
 */
import { createHash } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'

const { values: flags } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    log: { type: 'string' },
    ms: { type: 'string', default: '200' },
  },
})

const faults = ['429', '500', 'hang', 'half', 'doubled'] as const
type Fault = (typeof faults)[number]
const storm = { share: 0, untilMs: 0 }

const server = createServer(async (request, response) => {
  const text = await readBody(request)
  if (request.url === '/storm') {
    const { share, ms } = JSON.parse(text)
    Object.assign(storm, { share, untilMs: performance.now() + ms })
    response.end('{}')
    return
  }
  await answer(JSON.parse(text), response).catch(() => response.destroy())
})
server.listen(Number(flags.port), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1#m`)
})

interface Asked {
  n?: number
  seed?: number
  messages: unknown
}

async function answer({ n = 1, seed = 0, messages }: Asked, response: ServerResponse): Promise<void> {
  const asked = createHash('sha1').update(JSON.stringify(messages)).digest('hex').slice(0, 12)
  const seeds = Array.from({ length: n }, (_, i) => seed + i)
  const fault = chooseFault()
  note(fault ? [`fault ${fault} 0`] : seeds.map((s) => `ask ${asked} ${s}`))
  if (fault === 'hang') return
  if (fault === '429' || fault === '500') {
    response.writeHead(Number(fault), fault === '429' ? { 'retry-after': '1' } : {})
    response.end(JSON.stringify({ error: { message: 'a storm' } }))
    return
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const waitMs = Number(flags.ms) * (0.5 + (Number.parseInt(asked.slice(0, 4), 16) % 1000) / 1000)
  for (const [index, s] of seeds.entries()) {
    await delay(waitMs / n)
    if (response.destroyed) return
    const words = Array.from({ length: 16 }, (_, k) => word(`${asked}/${s}/${k}`))
    response.write(choice(index, { content: words.slice(0, 8).join('') }))
    if (fault === 'half') return void response.destroy()
    response.write(choice(index, { content: words.slice(8).join('') }))
    const end = choice(index, {}, 'stop')
    response.write(fault === 'doubled' ? end + end : end)
    note([`end ${asked} ${s}`])
  }
  const usage = { prompt_tokens: 20, completion_tokens: 16 * n, total_tokens: 20 + 16 * n }
  const last = event({ choices: [], usage })
  response.end(`${fault === 'doubled' ? last + last : last}data: [DONE]\n\n`)
}

function chooseFault(): Fault | undefined {
  if (performance.now() > storm.untilMs || Math.random() > storm.share) return undefined
  return faults[Math.floor(Math.random() * faults.length)]
}

function note(lines: string[]): void {
  if (flags.log) appendFileSync(flags.log, `${lines.join('\n')}\n`)
}

const word = (of: string) => ` w${createHash('sha1').update(of).digest('hex').slice(0, 5)}`

function choice(index: number, delta: object, finish_reason: string | null = null): string {
  return event({ choices: [{ index, delta, finish_reason }] })
}

function event(fields: object): string {
  return `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', ...fields })}\n\n`
}

async function readBody(request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const piece of request) body += piece
  return body
}
