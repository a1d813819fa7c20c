/**
 * Asks two servers in turn from each of several clients, in a process of its own, and prints as JSON how long each
 * answer took. Clients pause between requests, so that no client waits for another.
 *   node bench/latency-client.ts '{"targets": [{"url": "http://…/v1", "body": {}}], "clients": 32, "requests": 100, "pauseMs": 250}'
 */
import { Agent, request } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'

export interface LatencyLoad {
  targets: { url: string; body: object }[]
  clients: number
  /** Per client and target. */
  requests: number
  /** Mean time between two requests of a client; each pause is 0.5 to 1.5 times as long. */
  pauseMs: number
}
/** Milliseconds from a request to the end of its answer, by target. */
export type Latencies = number[][]

function ask(url: string, body: string, agent: Agent): Promise<number> {
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
  return new Promise((resolve, reject) => {
    const startMs = performance.now()
    const sent = request(`${url}/chat/completions`, { method: 'POST', agent, headers }, (response) => {
      response.resume()
      response.once('end', () =>
        response.statusCode === 200
          ? resolve(performance.now() - startMs)
          : reject(new Error(`${url}: ${response.statusCode}`)),
      )
    })
    sent.once('error', reject)
    sent.end(body)
  })
}

const { targets, clients, requests, pauseMs }: LatencyLoad = JSON.parse(process.argv[2] as string)
const taken: Latencies = targets.map(() => [])
const agents = targets.map(() => new Agent({ keepAlive: true }))
const run = async (first: number) => {
  for (let i = 0; i < requests * targets.length; i++) {
    if (pauseMs > 0) await wait(pauseMs * (0.5 + Math.random()))
    const t = (first + i) % targets.length
    const { url, body } = targets[t] as LatencyLoad['targets'][0]
    taken[t]?.push(await ask(url, JSON.stringify(body), agents[t] as Agent))
  }
}
await Promise.all(Array.from({ length: clients }, (_, i) => run(i)))
for (const agent of agents) agent.destroy()
console.log(JSON.stringify(taken))
