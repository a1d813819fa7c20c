/**
 * What `aft serve` adds at width 1, depth 0: requests at a server that answers at once, and the same through `aft
 * serve`, in turn. One process each: that server, `aft serve`, the clients.
 *
 *   npm run bench -- serve-latency
 */
import { parseArgs } from 'node:util'
import type { Latencies, LatencyLoad } from './latency-client.ts'
import { percentile, runProgram, startProgram } from './processes.ts'
import { printTable, saveResults } from './table.ts'

const { values: flags } = parseArgs({ options: { requests: { type: 'string', default: '2000' } } })
const total = Number(flags.requests)
const messages = [{ role: 'user', content: 'Explain in a few sentences how this works. '.repeat(4) }]

const upstream = await startProgram(['bench/instant-server.ts'])
const serve = ['bin/aft.js', 'serve', '--model', upstream.line, '--port', '0', '--concurrency', '64']
const aft = await startProgram(serve)
const body = { messages, max_tokens: 100, stream: true, seed: 1 }
const targets = [
  { url: upstream.line.split('#')[0] as string, body: { ...body, model: 'm', temperature: 0.7, top_p: 1 } },
  { url: `${aft.line}/v1`, body: { ...body, model: 'aft', aft: { width: 1, depth: 0 } } },
]
const whole = targets.map(({ url, body }, i) => ({ url, body: { ...body, stream: i === 0 } }))

interface Run {
  what: string
  requestsPerSecond: number
  direct: { median: number; p99: number }
  through: { median: number; p99: number }
  added: { median: number; p99: number }
  cpuMs: { aft: number; upstream: number; clients: number }
}

async function measure(what: string, load: LatencyLoad): Promise<Run> {
  const before = [aft.cpuMs(), upstream.cpuMs()] as const
  const startMs = performance.now()
  const { printed, cpuMs } = await runProgram<Latencies>(['bench/latency-client.ts', JSON.stringify(load)])
  const seconds = (performance.now() - startMs) / 1_000
  const [direct, through] = printed.map((values) => ({
    median: percentile(values, 0.5),
    p99: percentile(values, 0.99),
  })) as [Run['direct'], Run['through']]
  return {
    what,
    requestsPerSecond: printed.flat().length / seconds,
    direct,
    through,
    added: { median: through.median - direct.median, p99: through.p99 - direct.p99 },
    cpuMs: { aft: aft.cpuMs() - before[0], upstream: upstream.cpuMs() - before[1], clients: cpuMs },
  }
}

await measure('', { targets, clients: 8, requests: 100, pauseMs: 0 }) // the first ones compile the code
const many = { clients: 32, requests: Math.ceil(total / 32) }
const runs = [
  await measure('1 client, streamed', { targets, clients: 1, requests: total / 4, pauseMs: 0 }),
  await measure('32 clients, 4 requests a second each, streamed', { targets, ...many, pauseMs: 250 }),
  await measure('32 clients, 4 requests a second each, whole', { targets: whole, ...many, pauseMs: 250 }),
  await measure('32 clients without a pause, streamed', { targets, ...many, pauseMs: 0 }),
]
for (const started of [aft, upstream]) started.close()

const ms = (value: number) => value.toFixed(2)
printTable(
  [
    'milliseconds',
    'requests/s',
    'direct p50',
    'p99',
    'through p50',
    'p99',
    'added p50',
    'p99',
    'CPU s aft',
    'server',
    'clients',
  ],
  runs.map(({ what, requestsPerSecond, direct, through, added, cpuMs }) => [
    what,
    Math.round(requestsPerSecond),
    ...[direct.median, direct.p99, through.median, through.p99, added.median, added.p99].map(ms),
    ...[cpuMs.aft, cpuMs.upstream, cpuMs.clients].map((value) => ms(value / 1_000)),
  ]),
)
saveResults('serve-latency', `npm run bench -- serve-latency --requests ${total}`, { runs })
