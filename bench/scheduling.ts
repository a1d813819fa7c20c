/**
 * How well `aft run` keeps 64 places busy, by simulation: the real run loop, priorities and slots on virtual time, with
 * lengths as a published model has them, unknown to the scheduler.
 *
 *   npm run bench -- scheduling --lengths aft-output-lengths.csv     (columns index,chars)
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { answerPrompt } from '../src/core/aft.ts'
import type { Plan } from '../src/core/plan.ts'
import type { CompletionRequest, Engine } from '../src/core/provider/engine.ts'
import { seedOf } from '../src/core/seeds.ts'
import { hashParts } from '../src/lib/random.ts'
import { createSlots } from '../src/lib/slots.ts'
import { makePlan } from '../src/plans/strategies.ts'
import { paperTemplate } from '../src/plans/wordings.ts'
import { type RunOptions, runPrompts } from '../src/run/run.ts'
import { printTable, saveResults, spreadOf } from './table.ts'
import { createVirtualTime, type VirtualTime, virtualEngine } from './virtual-time.ts'

const { values: flags } = parseArgs({
  options: {
    lengths: { type: 'string', default: process.env.AFT_LENGTHS },
    seeds: { type: 'string', default: '20' },
    prompts: { type: 'string', default: '805' },
    slots: { type: 'string', default: '64' },
    active: { type: 'string' },
  },
})
if (!flags.lengths) {
  console.error('give the file of lengths: --lengths FILE.csv, or AFT_LENGTHS')
  process.exit(2)
}
const lengths = readFileSync(flags.lengths, 'utf8')
  .trim()
  .split('\n')
  .slice(1)
  .map((row) => Number(row.split(',')[1]))
const CAP_CHARS = 17_600
const CAP_TOKENS = 4_096
const BATCH = 8
const places = Number(flags.slots)
const prompts = Array.from({ length: Number(flags.prompts) }, (_, i) => ({
  id: String(i),
  messages: [{ role: 'user' as const, content: `prompt ${i}` }],
}))
const seeds = Array.from({ length: Number(flags.seeds) }, (_, i) => i)
const folder = mkdtempSync(join(tmpdir(), 'aft-scheduling-'))

/** The length of a completion depends on its seed only: every schedule has the same work. */
function lengthOf(seed: number, cap: number): number {
  return Math.min(cap, lengths[hashParts('length', seed) % lengths.length] as number)
}

function planOf(seed: number, quorum?: Plan['layers'][number]['quorum']): Plan {
  return makePlan({
    proposers: ['virtual'],
    width: 5,
    depth: 2,
    seed,
    quorum: quorum?.count,
    graceMs: quorum?.graceMs,
  })
}

/** No schedule is shorter than all work over all places, nor than the longest prompt's layers one after the other. */
function lowerBound(plan: Plan, cap: number): number {
  let [work, longest] = [0, 0]
  for (const { id } of prompts) {
    const layers = layersOf(plan, id).map((layer) => layer.map((seed) => lengthOf(seed, cap)))
    work += layers.flat().reduce((a, b) => a + b, 0)
    longest = Math.max(
      longest,
      layers.reduce((sum, layer) => sum + Math.max(...layer), 0),
    )
  }
  return Math.max(work / places, longest)
}

/** Seeds of a prompt's completions, layer by layer. */
function layersOf(plan: Plan, id: string): number[][] {
  return plan.layers.map(({ voices }, depth) =>
    Array.from({ length: voices[0]?.n ?? 0 }, (_, i) => seedOf(plan.seed, id, depth, 0, i)),
  )
}

interface Schedule {
  name: string
  cap: number
  /** Returns the requests sent. */
  run(plan: Plan, cap: number, time: VirtualTime): Promise<number>
}

/** Places that a request takes at a time, or more: fewer make more requests, each of which reads the prompt again. */
type Least = (request: CompletionRequest) => number
const single: Least = () => 1
const whole: Least = ({ n }) => n
/** The proposers' prompts are short: to read one again costs little. */
const wholeIfLong: Least = ({ n, messages }) =>
  messages[0]?.content === paperTemplate.proposerSystem ? 1 : n

const makeEngine = (time: VirtualTime, cap: number, leastOf: Least): Engine =>
  virtualEngine(time, createSlots(places), (seed) => lengthOf(seed, cap), leastOf)

function runHere(leastOf: Least): Schedule['run'] {
  return async (plan, cap, clock) => {
    const out = join(folder, 'answers')
    const engines = { virtual: makeEngine(clock, cap, leastOf) }
    const options: RunOptions = {
      prompts,
      out,
      plan,
      engines,
      clock,
      restart: true,
      active: Number(flags.active ?? 2 * places),
    }
    const { progress } = await runPrompts(options)
    if (progress.answered !== prompts.length) throw new Error('not every prompt was answered')
    return progress.spent.calls
  }
}

/** The published code: a batch of prompts, and all of its completions of a layer before any of the next. */
async function runBarrier(plan: Plan, cap: number, time: VirtualTime): Promise<number> {
  const engine = makeEngine(time, cap, whole)
  let calls = 0
  const ask = async (seeds: number[]) => {
    const request = { messages: [], n: seeds.length, seeds, sampling: { maxTokens: CAP_TOKENS } }
    for await (const event of engine.generate(request))
      if (event.type === 'completion-end') calls += event.usage.calls
  }
  for (let at = 0; at < prompts.length; at += BATCH) {
    const batch = prompts.slice(at, at + BATCH).map(({ id }) => layersOf(plan, id))
    for (const depth of plan.layers.keys())
      await Promise.all(batch.map((layers) => ask(layers[depth] as number[])))
  }
  return calls
}

/** Characters written one after the other until one prompt, alone, is answered. */
async function latencies(quorum?: Plan['layers'][number]['quorum']): Promise<number[]> {
  const all: number[] = []
  for (const prompt of prompts) {
    const clock = createVirtualTime()
    const host = {
      engines: { virtual: makeEngine(clock, CAP_CHARS, whole) },
      template: paperTemplate,
      clock,
    }
    await clock.during(answerPrompt(prompt, planOf(0, quorum), host))
    all.push(clock.now())
  }
  return all
}

const schedules: Schedule[] = [
  { name: 'aft run, places one by one', cap: CAP_CHARS, run: runHere(single) },
  { name: 'aft run, short prompts one by one, long ones whole', cap: CAP_CHARS, run: runHere(wholeIfLong) },
  { name: 'aft run, requests whole', cap: CAP_CHARS, run: runHere(whole) },
  { name: `batches of ${BATCH} with a barrier after each layer`, cap: CAP_CHARS, run: runBarrier },
  {
    name: 'aft run, places one by one, lengths not capped',
    cap: Number.POSITIVE_INFINITY,
    run: runHere(single),
  },
]
const results: { name: string; ratios: number[]; calls: number[] }[] = []
for (const { name, cap, run } of schedules) {
  const ratios: number[] = []
  const calls: number[] = []
  for (const seed of seeds) {
    const time = createVirtualTime()
    const plan = planOf(seed)
    calls.push((await time.during(run(plan, cap, time))) / prompts.length)
    ratios.push(time.now() / lowerBound(plan, cap))
  }
  results.push({ name, ratios, calls })
}
const alone = { 'all five': await latencies(), 'quorum 4 of 5': await latencies({ count: 4, graceMs: 0 }) }
rmSync(folder, { recursive: true, force: true })

console.log(
  `${prompts.length} prompts, 5 x 2, ${places} places, ${seeds.length} seeds: makespan over the lower bound\n`,
)
printTable(
  ['schedule', 'median', 'worst', 'requests a prompt'],
  results.map(({ name, ratios, calls }) => {
    const { median, max } = spreadOf(ratios)
    return [name, median.toFixed(3), max.toFixed(3), spreadOf(calls).median.toFixed(1)]
  }),
)
const tokens = (chars: number) => Math.round((chars * CAP_TOKENS) / CAP_CHARS)
const quantile = (values: number[], q: number) =>
  values.toSorted((a, b) => a - b)[Math.floor(q * (values.length - 1))] as number
console.log('\none prompt alone: tokens one after the other until it is answered\n')
printTable(
  ['members waited for', 'median', 'p95'],
  Object.entries(alone).map(([name, values]) => [
    name,
    tokens(quantile(values, 0.5)),
    tokens(quantile(values, 0.95)),
  ]),
)
saveResults('scheduling', 'npm run bench -- scheduling --lengths aft-output-lengths.csv', {
  places,
  results,
  alone,
})
