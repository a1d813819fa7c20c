/**
 * Many streams at once through `aft serve`, and the same directly from the upstream server, which writes 50 tokens per
 * second and stream. The upstream, `aft serve` and the clients are separate processes.
 *
 *   npm run bench -- serve-streams
 */
import { parseArgs } from 'node:util'
import type { Load, Loaded } from './load-client.ts'
import { percentile, runProgram, type Started, startProgram } from './processes.ts'
import { printTable, saveResults } from './table.ts'

const { values: flags } = parseArgs({
  options: { rate: { type: 'string', default: '50' }, tokens: { type: 'string', default: '500' } },
})
const rate = Number(flags.rate)
const tokens = Number(flags.tokens)
const messages = [{ role: 'user', content: 'Explain in a few sentences how this works. '.repeat(4) }]

interface Run {
  what: string
  clients: number
  layers: number
  idealMs: number
  wallMs: number
  ofIdeal: number
  firstTokenMs: number
  gapMs: { median: number; p99: number; max: number }
  tokens: number
  failed: number
  cpuMs: { aft: number; upstream: number; clients: number }
  peakBytes: number
}

async function measure(
  what: string,
  { url, body, clients }: Load,
  { layers, aft, upstream }: { layers: number; aft: Started; upstream: Started },
): Promise<Run> {
  const before = [aft.cpuMs(), upstream.cpuMs()] as const
  const load = JSON.stringify({ url, body, clients } satisfies Load)
  const { printed, cpuMs } = await runProgram<Loaded>(['bench/load-client.ts', load])
  const { wallMs, firstTokenMs, gapsMs, ...counts } = printed
  const idealMs = (layers * (tokens + 1) * 1_000) / rate
  return {
    what,
    clients,
    layers,
    idealMs,
    wallMs,
    ofIdeal: idealMs / wallMs,
    firstTokenMs: percentile(firstTokenMs, 0.5),
    gapMs: { median: percentile(gapsMs, 0.5), p99: percentile(gapsMs, 0.99), max: percentile(gapsMs, 1) },
    ...counts,
    cpuMs: { aft: aft.cpuMs() - before[0], upstream: upstream.cpuMs() - before[1], clients: cpuMs },
    peakBytes: aft.peakBytes(),
  }
}

const upstream = await startProgram(['bench/paced-server.ts', '--rate', flags.rate])
const [direct = ''] = upstream.line.split('#')
const serve = ['bin/aft.js', 'serve', '--model', upstream.line, '--port', '0', '--concurrency', '2000']
const start = () => startProgram([...serve, '--max-running', '512', '--max-waiting', '1024'])
const body = { messages, max_tokens: tokens, stream: true }
const runs: Run[] = []
for (const [clients, width, depth] of [
  [256, 1, 0],
  [64, 5, 2],
] as const) {
  const aft = await start()
  const url = `${aft.line}/v1`
  const layers = depth + 1
  const name = `${clients} streams, width ${width}, depth ${depth}`
  const both = { aft, upstream }
  // Short streams, as many as will follow: a server that has just started compiles its code while it answers.
  const warm = { url, body: { ...body, model: 'single', max_tokens: 25 }, clients: 256 }
  await measure('', warm, { layers: 1, ...both })
  runs.push(
    await measure(
      `${clients} streams of the server itself`,
      { url: direct, body: { ...body, model: 'm' }, clients },
      { layers: 1, ...both },
    ),
    await measure(
      name,
      { url, body: { ...body, model: 'aft', aft: { width, depth } }, clients },
      { layers, ...both },
    ),
  )
  aft.close()
}
upstream.close()

const ms = (value: number) => value.toFixed(1)
printTable(
  [
    '',
    'of the ideal',
    'wall s',
    'first token p50 ms',
    'gap p50 ms',
    'gap p99 ms',
    'gap max ms',
    'CPU s aft',
    'server',
    'clients',
    'peak MB',
    'failed',
  ],
  runs.map((run) => [
    run.what,
    `${(run.ofIdeal * 100).toFixed(1)} %`,
    ms(run.wallMs / 1_000),
    Math.round(run.firstTokenMs),
    ...[run.gapMs.median, run.gapMs.p99, run.gapMs.max].map(ms),
    ...[run.cpuMs.aft, run.cpuMs.upstream, run.cpuMs.clients].map((value) => ms(value / 1_000)),
    Math.round(run.peakBytes / 1e6),
    run.failed,
  ]),
)
saveResults('serve-streams', `npm run bench -- serve-streams --rate ${rate} --tokens ${tokens}`, {
  tokens,
  rate,
  runs,
})
