/**
 * What a queue takes: CPU per completion on top of `aft run` alone, memory of Redis, and whether one submitter keeps four
 * workers busy. Needs redis-server.
 *
 *   npm run bench -- queue                    all three
 *   npm run bench -- queue memory             one of cpu, memory, busy
 */
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { makePlan } from '../src/plans/strategies.ts'
import { makeStandIns } from '../src/run/queue/stand-ins.ts'
import { runPrompts } from '../src/run/run.ts'
import { startRedis } from '../test/queue-parts.ts'
import { readCpuMs, runMeasured, type Started, startProgram } from './processes.ts'
import { printTable, saveResults } from './table.ts'

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    prompts: { type: 'string', default: '1000' },
    queued: { type: 'string', default: '100000' },
    repeats: { type: 'string', default: '3' },
  },
})
const [only] = positionals
const COMPLETIONS = 11
const folder = mkdtempSync(path.join(tmpdir(), 'aft-queue-bench-'))
const at = (name: string) => path.join(folder, name)
const redis = await startRedis(folder)
const queue = `redis://127.0.0.1:${redis.port}/0`

function writePrompts(count: number): string {
  const question = 'Explain in a few sentences how this works, and what follows from it in practice. '.repeat(
    6,
  )
  const rows = Array.from({ length: count }, (_, i) => `${JSON.stringify({ prompt: `${i}: ${question}` })}\n`)
  writeFileSync(at(`${count}.jsonl`), rows.join(''))
  return at(`${count}.jsonl`)
}

/** Starts a worker and waits until it has looked for runs. */
async function startWorker(concurrency: number): Promise<Started & { close(): void }> {
  const args = ['work', '--queue', queue, '--concurrency', `${concurrency}`, '--no-progress']
  const child = spawn(process.execPath, [path.join(import.meta.dirname, '../bin/aft.js'), ...args], {
    stdio: 'ignore',
  })
  await delay(3_000)
  const pid = child.pid as number
  return {
    line: '',
    pid,
    cpuMs: () => readCpuMs(pid),
    peakBytes: () => 0,
    close: () => void child.kill('SIGKILL'),
  }
}

/** CPU of submitter, worker and Redis together, less that of a run alone, per completion. */
async function measureCpu() {
  const prompts = Number(flags.prompts)
  const file = writePrompts(prompts)
  const server = await startProgram([path.join(import.meta.dirname, 'instant-server.ts')])
  const plan = ['--model', server.line, '--width', '5', '--depth', '2', '--no-progress']
  const runs = []
  for (let i = 0; i < Number(flags.repeats); i++) {
    const alone = await runMeasured([
      'run',
      file,
      '-o',
      at(`alone${i}.jsonl`),
      ...plan,
      '--concurrency',
      '64',
    ])
    const worker = await startWorker(64)
    const before = [worker.cpuMs(), readCpuMs(redis.part.child.pid as number)]
    const submitter = await runMeasured(['run', file, '-o', at(`queue${i}.jsonl`), ...plan, '--queue', queue])
    const workerMs = worker.cpuMs() - (before[0] ?? 0)
    const redisMs = readCpuMs(redis.part.child.pid as number) - (before[1] ?? 0)
    worker.close()
    const overMs = submitter.cpuMs + workerMs + redisMs - alone.cpuMs
    runs.push({
      aloneMs: alone.cpuMs,
      submitterMs: submitter.cpuMs,
      workerMs,
      redisMs,
      overMsPerCompletion: overMs / (prompts * COMPLETIONS),
    })
  }
  server.close()
  return { prompts, completions: prompts * COMPLETIONS, runs }
}

const usedBytes = () =>
  Number(
    /used_memory:(\d+)/.exec(
      execFileSync('redis-cli', ['-p', `${redis.port}`, 'info', 'memory'], { encoding: 'utf8' }),
    )?.[1],
  )

/** Memory of Redis with all prompts in the queue at once. */
async function measureMemory() {
  const queued = Number(flags.queued)
  const prompts = writePrompts(queued)
  const plan = makePlan({ proposers: ['m'], width: 5, depth: 2 })
  const engines = await makeStandIns(['m'], {})
  const stop = new AbortController()
  const before = usedBytes()
  const run = runPrompts({
    prompts,
    out: at('memory.jsonl'),
    plan,
    engines,
    signal: stop.signal,
    queue: { address: queue, run: 'memory', window: Number.POSITIVE_INFINITY },
  })
  const waiting = () =>
    Number(
      execFileSync('redis-cli', ['-p', `${redis.port}`, 'llen', '{aft:memory}:prompts:wait'], {
        encoding: 'utf8',
      }),
    )
  while (waiting() < queued) await delay(500)
  const bytes = usedBytes() - before
  stop.abort(new Error('measured'))
  await run
  const bytesPerPrompt = readFileSync(prompts).length / queued
  return { queued, bytesPerPrompt, redisBytes: bytes, redisBytesPerPrompt: bytes / queued }
}

/** Completions per second of all workers of a run, without its start and its end, from the places of its lines. */
function rateOf(journal: string): number {
  const times = readFileSync(journal, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
    .filter(({ type }) => type === 'completion')
    .map(({ at: place }) => Number(place.split('-')[0]))
    .sort((a, b) => a - b)
  const [from, to] = [Math.floor(times.length * 0.25), Math.floor(times.length * 0.75)]
  return ((to - from) * 1000) / ((times[to] ?? 0) - (times[from] ?? 0))
}

const PLACES = 16

/** What four workers do together, compared with four times what one does, against a server that is paced. */
async function measureBusy() {
  const server = await startProgram([
    path.join(import.meta.dirname, 'paced-server.ts'),
    '--rate',
    '20',
    '--tokens',
    '20',
  ])
  const plan = ['--model', server.line, '--width', '5', '--depth', '2', '--no-progress']
  const rates: number[] = []
  for (const count of [1, 4]) {
    const file = writePrompts(80 * count)
    const workers = []
    for (let i = 0; i < count; i++) workers.push(await startWorker(PLACES))
    await runMeasured(['run', file, '-o', at(`busy${count}.jsonl`), ...plan, '--queue', queue])
    for (const worker of workers) worker.close()
    rates.push(rateOf(at(`busy${count}.jsonl.journal`)))
  }
  server.close()
  const [one = 0, four = 0] = rates
  return { places: PLACES, onePerSecond: one, fourPerSecond: four, busy: four / (4 * one) }
}

const wanted = (name: string) => only === undefined || only === name
const results = {
  ...(wanted('cpu') && { cpu: await measureCpu() }),
  ...(wanted('memory') && { memory: await measureMemory() }),
  ...(wanted('busy') && { busy: await measureBusy() }),
}
await redis.part.kill()
rmSync(folder, { recursive: true, force: true })

const rows: [string, string][] = []
for (const run of results.cpu?.runs ?? [])
  rows.push(['CPU on top of a run alone, ms per completion', run.overMsPerCompletion.toFixed(3)])
if (results.memory)
  rows.push([
    `Redis with ${results.memory.queued} prompts queued, MB`,
    (results.memory.redisBytes / 1e6).toFixed(1),
  ])
if (results.busy) rows.push(['four workers, of four times one', results.busy.busy.toFixed(3)])
printTable(['what', 'measured'], rows)
const command = `npm run bench -- queue${only ? ` ${only}` : ''}`
saveResults(only ? `queue-${only}` : 'queue', command, results)
process.exit(0)
