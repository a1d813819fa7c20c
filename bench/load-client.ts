/**
 * Asks a server from many clients at once, in a process of its own, and prints as JSON when the pieces arrived.
 *   node bench/load-client.ts '{"url": "http://…/v1", "body": {}, "clients": 256}'
 */
import { Agent, request } from 'node:http'

/** What to ask: each client asks once, all at the same time. */
export interface Load {
  url: string
  body: object
  clients: number
}
/** When the answers arrived, in milliseconds. */
export interface Loaded {
  /** From the first request to the end of the last answer. */
  wallMs: number
  firstTokenMs: number[]
  /** Between one piece of text and the next, in all streams. */
  gapsMs: number[]
  tokens: number
  failed: number
}

const MARK = '"content":" word'

async function ask({ url, body }: Load, agent: Agent, loaded: Loaded): Promise<void> {
  const startMs = performance.now()
  let lastMs = 0
  let text = ''
  const { promise, resolve } = Promise.withResolvers<void>()
  const headers = { 'content-type': 'application/json' }
  const sent = request(`${url}/chat/completions`, { method: 'POST', agent, headers }, (response) => {
    response.setEncoding('latin1')
    response.on('data', (piece: string) => {
      text = text.slice(-200) + piece
      let found = 0
      for (let at = piece.indexOf(MARK); at >= 0; at = piece.indexOf(MARK, at + 1)) found++
      if (found === 0) return
      const nowMs = performance.now()
      loaded.tokens += found
      if (lastMs === 0) loaded.firstTokenMs.push(nowMs - startMs)
      else loaded.gapsMs.push(nowMs - lastMs)
      lastMs = nowMs
    })
    response.on('close', () => {
      if (response.statusCode !== 200 || !text.trimEnd().endsWith('[DONE]')) loaded.failed++
      resolve()
    })
  })
  sent.on('error', () => {
    loaded.failed++
    resolve()
  })
  sent.end(JSON.stringify(body))
  await promise
}

const load: Load = JSON.parse(process.argv[2] as string)
const agent = new Agent({ keepAlive: true })
const loaded: Loaded = { wallMs: 0, firstTokenMs: [], gapsMs: [], tokens: 0, failed: 0 }
const startMs = performance.now()
await Promise.all(Array.from({ length: load.clients }, () => ask(load, agent, loaded)))
loaded.wallMs = performance.now() - startMs
agent.destroy()
console.log(JSON.stringify(loaded))
