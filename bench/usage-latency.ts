/**
 * What counts in Redis add to a request: two `aft serve` with the same limits in front of a server that answers at once,
 * asked in turn; one counts in memory, one in Redis on this machine. Needs redis-server.
 *
 *   npm run bench -- usage-latency
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { startRedis } from '../test/queue-parts.ts'
import type { Latencies, LatencyLoad } from './latency-client.ts'
import { percentile, readCpuMs, runProgram, startProgram } from './processes.ts'
import { printTable, saveResults } from './table.ts'

const { values: flags } = parseArgs({ options: { requests: { type: 'string', default: '2000' } } })
const total = Number(flags.requests)
const folder = mkdtempSync(path.join(tmpdir(), 'usage-latency-'))
const { part: redis, port } = await startRedis(folder)
const upstream = await startProgram(['bench/instant-server.ts'])
const limits = ['--max-requests-per-minute', '1000000', '--max-tokens-per-day', '1000000000000']
const serve = ['bin/aft.js', 'serve', '--model', upstream.line, '--port', '0', ...limits]
const stores = [[], ['--usage-store', `redis://127.0.0.1:${port}/0`]]
const servers = []
for (const store of stores) servers.push(await startProgram([...serve, ...store]))

const body = { model: 'single', messages: [{ role: 'user', content: 'Name a river.' }], max_tokens: 16 }
const targets = servers.map(({ line }) => ({ url: `${line}/v1`, body }))

async function measure(what: string, load: Omit<LatencyLoad, 'targets'>) {
  const { printed } = await runProgram<Latencies>([
    'bench/latency-client.ts',
    JSON.stringify({ targets, ...load }),
  ])
  const [memory, inRedis] = printed.map((ms) => ({ median: percentile(ms, 0.5), p99: percentile(ms, 0.99) }))
  if (!memory || !inRedis) throw new Error('expected the times of two servers')
  return {
    what,
    requests: printed[1]?.length ?? 0,
    memory,
    redis: inRedis,
    added: inRedis.median - memory.median,
  }
}

await measure('', { clients: 8, requests: 50, pauseMs: 0 }) // the first ones compile the code
const cpuMs = () => readCpuMs(redis.child.pid as number)
const beforeMs = cpuMs()
const runs = [
  await measure('1 client', { clients: 1, requests: total / 2, pauseMs: 0 }),
  await measure('32 clients that pause', { clients: 32, requests: Math.ceil(total / 32), pauseMs: 250 }),
]
const requests = runs.reduce((sum, run) => sum + run.requests, 0)
const redisCpuUs = ((cpuMs() - beforeMs) * 1_000) / requests
for (const started of [...servers, upstream]) started.close()
await redis.kill()
rmSync(folder, { recursive: true, force: true })

const ms = (value: number) => value.toFixed(2)
printTable(
  ['milliseconds', 'memory p50', 'p99', 'Redis p50', 'p99', 'added p50'],
  runs.map(({ what, memory, redis, added }) => [
    what,
    ...[memory.median, memory.p99, redis.median, redis.p99, added].map(ms),
  ]),
)
console.log(`CPU of Redis per request: ${redisCpuUs.toFixed(0)} microseconds`)
saveResults('usage-latency', `npm run bench -- usage-latency --requests ${total}`, { runs, redisCpuUs })
