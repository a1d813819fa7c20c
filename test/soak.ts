/** A soak of `aft serve`: mixed load for a time, with faults of the upstream, and what the process holds at each moment. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { startUpstream } from './queue-parts.ts'

const root = path.join(import.meta.dirname, '..')

/** What the server holds after a garbage collection. */
export interface Sample {
  minute: number
  heapMB: number
  residentMB: number
  /** By kind, as Node counts what keeps a process alive: sockets, timers, requests. */
  resources: Record<string, number>
}

export interface SoakOptions {
  folder: string
  minutes: number
  sampleMs: number
  clients: number
  /** Mean pause of a client between two requests. */
  pauseMs: number
  log?: (line: string) => void
}

/** Prints what the process holds when it gets SIGUSR2. */
const watch = `
process.on('SIGUSR2', () => {
  for (let i = 0; i < 3; i++) global.gc()
  const resources = {}
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1
  const { heapUsed, rss } = process.memoryUsage()
  console.error('held ' + JSON.stringify({ heapMB: heapUsed / 1e6, residentMB: rss / 1e6, resources }))
})`

/** Soaks a server. The first sample is from before the load, the last from after it. */
export async function soak({ folder, minutes, sampleMs, clients, pauseMs, log = () => {} }: SoakOptions) {
  const upstream = await startUpstream(folder, 60)
  const preload = `data:text/javascript,${encodeURIComponent(watch)}`
  const args = ['bin/aft.js', 'serve', '--model', upstream.model, '--port', '0', '--concurrency', '32']
  const server = spawn(
    process.execPath,
    ['--expose-gc', '--import', preload, ...args, '--timeout-ms', '5000'],
    {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1' },
    },
  )
  const counts: Record<string, number> = {}
  try {
    const [first] = await once((server.stdout as NodeJS.ReadableStream).setEncoding('utf8'), 'data')
    const url = `${/http:\S+/.exec(String(first))?.[0]}/v1/chat/completions`
    const held = reader(server)
    const startMs = performance.now()
    const minute = () => (performance.now() - startMs) / 60_000
    const look = async (): Promise<Sample> => {
      server.kill('SIGUSR2')
      return { minute: minute(), ...(await held()) }
    }
    await Promise.all(Array.from({ length: 50 }, (_, i) => ask(url, i, {}))) // modules and caches are loaded
    await delay(8_000)
    const before = await look()
    const samples: Sample[] = []
    const end = new AbortController()
    const storms = stormNowAndThen(upstream.port, end.signal)
    const load = Array.from({ length: clients }, (_, i) =>
      client(url, i, { counts, pauseMs, signal: end.signal }),
    )
    while (minute() < minutes) {
      await delay(sampleMs)
      const sample = await look()
      samples.push(sample)
      log(
        `${sample.minute.toFixed(1)} min: heap ${sample.heapMB.toFixed(1)} MB, resident ${sample.residentMB.toFixed(0)} MB`,
      )
    }
    end.abort()
    await Promise.all([...load, storms])
    await delay(15_000) // connections to clients and to the upstream stay open for some seconds
    const after = await look()
    return { minutes, requests: counts, before, samples, after, heapSlope: slopeOf(samples) }
  } finally {
    server.kill('SIGKILL')
    await upstream.part.kill()
  }
}

/** Returns a function that waits for the next line about what the server holds. */
function reader(server: ChildProcess): () => Promise<Omit<Sample, 'minute'>> {
  const lines = createInterface({ input: server.stderr as NodeJS.ReadableStream })
  return () =>
    new Promise((resolve) => {
      const take = (line: string) => {
        if (!line.startsWith('held ')) return
        lines.off('line', take)
        resolve(JSON.parse(line.slice(5)))
      }
      lines.on('line', take)
    })
}

async function client(
  url: string,
  seed: number,
  { counts, pauseMs, signal }: { counts: Record<string, number>; pauseMs: number; signal: AbortSignal },
): Promise<void> {
  for (let i = seed; !signal.aborted; i++) {
    await ask(url, i, counts)
    await delay(pauseMs * (0.5 + Math.random()), undefined, { signal }).catch(() => {})
  }
}

const kinds = ['whole', 'streamed', 'left', 'refused', 'broken', 'half'] as const

/** A request of one of the kinds. What the upstream's faults make of it is counted by its status. */
async function ask(url: string, i: number, counts: Record<string, number>): Promise<void> {
  const kind = kinds[i % kinds.length] as (typeof kinds)[number]
  const body = JSON.stringify({
    model: 'aft',
    messages: [{ role: 'user', content: `question ${i}: ${'Please explain. '.repeat(i % 400)}` }],
    aft: { width: 3, depth: 1 },
    ...(kind !== 'whole' && { stream: true }),
    ...(kind === 'refused' && { temperature: 'hot' }),
  })
  const leave = new AbortController()
  const headers = { 'content-type': 'application/json' }
  const text = kind === 'broken' ? '{"model": ' : body
  const half = new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode(body.slice(0, 20))),
  })
  const given = kind === 'half' ? { body: half, duplex: 'half' as const } : { body: text }
  if (kind === 'half') setTimeout(() => leave.abort(), 50)
  try {
    const response = await fetch(url, { method: 'POST', headers, signal: leave.signal, ...given })
    if (kind === 'left') {
      await response.body?.getReader().read()
      leave.abort()
    } else await response.text()
    count(counts, `${kind} ${response.status}`)
  } catch {
    count(counts, `${kind} left`)
  }
}

function count(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1
}

async function stormNowAndThen(port: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const body = JSON.stringify({ share: 0.3, ms: 2_000 })
    await fetch(`http://127.0.0.1:${port}/storm`, { method: 'POST', body }).catch(() => {})
    await delay(10_000, undefined, { signal }).catch(() => {})
  }
}

/** Slope of the heap in MB per minute, over the second half of the samples, with the half width of its 95 % interval. */
export function slopeOf(samples: Sample[]): { perMinute: number; halfWidth: number } {
  const points = samples.slice(Math.floor(samples.length / 2))
  const mean = (of: (s: Sample) => number) => points.reduce((sum, s) => sum + of(s), 0) / points.length
  const [x, y] = [mean((s) => s.minute), mean((s) => s.heapMB)]
  const spread = points.reduce((sum, s) => sum + (s.minute - x) ** 2, 0)
  const perMinute = points.reduce((sum, s) => sum + (s.minute - x) * (s.heapMB - y), 0) / spread
  const rest = points.reduce((sum, s) => sum + (s.heapMB - y - perMinute * (s.minute - x)) ** 2, 0)
  return { perMinute, halfWidth: 1.96 * Math.sqrt(rest / Math.max(1, points.length - 2) / spread) }
}
