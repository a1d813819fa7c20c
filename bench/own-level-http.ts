/**
 * The number of completions at a time that is found, compared with fixed ones, over real HTTP: one run at three servers of
 * unlike size together. Each server works on as many texts as it has places; others wait. A text is one exchange and takes
 * about a second, so that the processors have little to do, and a busy machine changes little. Wall time counts.
 *
 *   npm run bench -- own-level-http
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { createSlots } from '../src/lib/slots.ts'
import { printTable, saveResults } from './table.ts'

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '20' },
    levels: { type: 'string', default: '16,32,64' },
    ms: { type: 'string', default: '1000' },
  },
})
const PLACES = [4, 12, 40]
const levels = flags.levels.split(',').map(Number)
const texts = PLACES.reduce((sum, places) => sum + places) * Number(flags.rounds)
const folder = mkdtempSync(path.join(tmpdir(), 'aft-own-level-'))
const prompts = path.join(folder, 'p.jsonl')
writeFileSync(prompts, Array.from({ length: texts }, (_, i) => `{"prompt":"question ${i}"}\n`).join(''))

/** A server with so many places. */
async function startServer(places: number): Promise<string> {
  const slots = createSlots(places)
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const piece of request) body += piece
    const id = Number(/question (\d+)/.exec(body)?.[1])
    const share = 0.7 + ((id * 7919) % 600) / 1000
    const grant = await slots.take(1)
    await delay(Number(flags.ms) * share)
    grant.release()
    // Words that differ: a text that repeats itself is sampled again.
    const content = Array.from({ length: Math.round(100 * share) }, (_, i) => `word${id + i * 7919}`).join(
      ' ',
    )
    const message = { role: 'assistant', content }
    const usage = { prompt_tokens: 10, completion_tokens: 100, total_tokens: 110 }
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ choices: [{ index: 0, message, finish_reason: 'stop' }], usage }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
}

const addresses = await Promise.all(PLACES.map(startServer))

let runs = 0

/** Seconds of a run; without a level it finds its own. */
async function run(level?: number): Promise<number> {
  const out = path.join(folder, `${++runs}.jsonl`)
  const more = level === undefined ? [] : ['--concurrency', `${level}`]
  const model = [
    '--model',
    `${addresses.join(',')}#m`,
    '--strategy',
    'single',
    '--no-stream',
    '--no-progress',
  ]
  const program = path.join(import.meta.dirname, '../bin/aft.js')
  const startMs = performance.now()
  const child = spawn(process.execPath, [program, 'run', prompts, '-o', out, ...model, ...more], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  await once(child, 'exit')
  return (performance.now() - startMs) / 1000
}

const fixed: Record<string, number> = {}
const own = [await run()]
for (const level of levels) fixed[level] = await run(level)
own.push(await run())
rmSync(folder, { recursive: true, force: true })

const best = Math.min(...Object.values(fixed))
const mean = own.reduce((sum, seconds) => sum + seconds) / own.length
const ideal = (texts * Number(flags.ms)) / 1000 / PLACES.reduce((sum, places) => sum + places)
printTable(
  ['level per server', 'seconds', 'of the best fixed'],
  [
    ...Object.entries(fixed).map(([level, s]) => [level, s.toFixed(1), (s / best).toFixed(3)]),
    ...own.map((s) => ['found', s.toFixed(1), (s / best).toFixed(3)]),
  ],
)
saveResults('own-level-http', 'npm run bench -- own-level-http', {
  places: PLACES,
  texts,
  msPerText: Number(flags.ms),
  idealSeconds: ideal,
  fixedSeconds: fixed,
  ownSeconds: own,
  ownOverBest: mean / best,
})
process.exit(0)
