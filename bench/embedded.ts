/**
 * Compares propose-and-aggregate in process with llama-server, with the same bytes, threads, limits and sampling:
 * (a) the published schedule, (b) one request with n = 5 per layer.
 *
 *   npm run bench -- embedded                                  one question
 *   npm run bench -- embedded --prompts FILE.json --count 16   many prompts at once
 */
import fs from 'node:fs'
import { parseArgs } from 'node:util'
import type { Engine, Sampling } from '../src/core/provider/engine.ts'
import type { Completion } from '../src/core/provider/records.ts'
import { sumUsage } from '../src/core/provider/usage.ts'
import type { Result } from '../src/core/result.ts'
import { openEmbedded } from '../src/engines/embedded/embedded.ts'
import { resolveModel } from '../src/engines/models/models.ts'
import { answer } from '../src/run/answer.ts'
import { startLlamaServer } from '../test/peers/llama-server.ts'
import { measureOwnLimit, type OwnLimit, STEPS } from './own-limit.ts'
import { questions as asked } from './questions.ts'
import { type Job, runPublishedSchedule, runWithN, type ServerRun } from './server-schedules.ts'
import { printTable, saveResults, showSpread, spreadOf, widestInstructions } from './table.ts'

const { values: flags } = parseArgs({
  options: {
    prompts: { type: 'string' },
    count: { type: 'string', default: '1' },
    repeats: { type: 'string', default: '5' },
    'max-tokens': { type: 'string', default: '128' },
    model: { type: 'string', default: 'smollm2' },
    'peer-model': { type: 'string' },
    name: { type: 'string' },
  },
})
const WIDTH = 5
const DEPTH = 2
const THREADS = 2
const count = Number(flags.count)
const repeats = Number(flags.repeats)
const sampling: Sampling = { temperature: 0.7, topP: 0.95, maxTokens: Number(flags['max-tokens']) }

const questions = flags.prompts
  ? (JSON.parse(fs.readFileSync(flags.prompts, 'utf8')) as { instruction: string }[]).map(
      (row) => row.instruction,
    )
  : asked.slice(0, 6)

/** Makes new questions for every repetition, so that no side profits from a cache. */
function jobsOf(repeat: number): Job[] {
  const at = repeat * count
  return Array.from({ length: count }, (_, i) => ({
    messages: [{ role: 'user' as const, content: questions[(at + i) % questions.length] as string }],
    seed: 1000 * repeat + 7 * i,
  }))
}

interface OwnRun extends ServerRun {
  prefilledTokens: number
  distinctPromptTokens: number
  limitSeconds: number
}

function answerAll(engine: Engine, jobs: Job[]): Promise<Result[]> {
  const options = { engine, width: WIDTH, depth: DEPTH, ...sampling }
  return Promise.all(jobs.map((job) => answer(job.messages, { ...options, seed: job.seed })))
}

async function runOwn(engine: Engine, jobs: Job[], limit: OwnLimit): Promise<OwnRun> {
  const start = performance.now()
  const results = await answerAll(engine, jobs)
  const seconds = (performance.now() - start) / 1000
  const total = sumUsage(results.map((r) => ({ ...r.usage })))
  const distinctPromptTokens = results.reduce((sum, r) => sum + countDistinct(r), 0)
  return {
    seconds,
    outputTokens: total.outputTokens,
    inputTokens: total.inputTokens,
    calls: total.calls,
    prefilledTokens: total.prefilledTokens as number,
    distinctPromptTokens,
    limitSeconds: limitOf(results, distinctPromptTokens, limit),
  }
}

/** Each layer has one prompt, whatever its width. */
function countDistinct(result: Result): number {
  return result.layers.reduce((sum, layer) => sum + (layer.completions[0]?.usage.inputTokens ?? 0), 0)
}

/** The points at which to measure our own limit: each layer's width and context for one prompt, full batches for many. */
function pointsOf({ layers }: Result): { sequences: number; promptTokens: number }[] {
  if (count === 1) {
    return layers.map(({ completions: c }) => ({ sequences: c.length, promptTokens: contextOf(c) }))
  }
  const promptTokens = contextOf(layers.flatMap(({ completions }) => completions))
  return [8, 16, 24].map((sequences) => ({ sequences, promptTokens }))
}

/** Tokens before the middle of a completion, less half of the steps that the limit is measured with. */
function contextOf(completions: Completion[]): number {
  const sum = completions.reduce((total, { usage }) => total + usage.inputTokens + usage.outputTokens / 2, 0)
  return Math.max(16, Math.round(sum / completions.length) - STEPS / 2)
}

/** Prompt tokens over the prefill rate, plus decode steps over the rate of the batch that could be kept. */
function limitOf(results: Result[], promptTokens: number, limit: OwnLimit): number {
  const prefill = promptTokens / limit.prefillTokensPerSecond
  if (results.length > 1) {
    const best = Math.max(...limit.decode.map((point) => point.tokensPerSecond))
    return prefill + results.reduce((sum, r) => sum + r.usage.outputTokens, 0) / best
  }
  const layers = results.flatMap((r) => r.layers)
  return layers.reduce((sum, { completions }, i) => {
    const steps = Math.max(...completions.map(({ usage }) => usage.outputTokens))
    return sum + (steps * completions.length) / (limit.decode[i]?.tokensPerSecond as number)
  }, prefill)
}

const { file } = await resolveModel(flags.model)
const peerFile = flags['peer-model'] ? (await resolveModel(flags['peer-model'])).file : file
const engine = await openEmbedded({ file, threads: THREADS })
const [warm] = await answerAll(engine, jobsOf(repeats).slice(0, 1))
const limit = await measureOwnLimit(file, pointsOf(warm as Result), THREADS)
const slots = 10
const server = await startLlamaServer({
  model: peerFile,
  threads: THREADS,
  slots,
  contextTokens: slots * 3000,
})
const settings = { url: server.url, width: WIDTH, depth: DEPTH, sampling }
const raw: { own: OwnRun[]; published: ServerRun[]; withN: ServerRun[] } = {
  own: [],
  published: [],
  withN: [],
}
try {
  await runWithN([{ messages: [{ role: 'user', content: 'Say hello.' }], seed: 1 }], settings)
  for (let i = 0; i < repeats; i++) {
    raw.own.push(await runOwn(engine, jobsOf(i), limit))
    raw.published.push(await runPublishedSchedule(jobsOf(i), settings))
    raw.withN.push(await runWithN(jobsOf(i), settings))
  }
} finally {
  await server.close()
  await engine.close?.()
}

const seconds = (runs: ServerRun[]) => runs.map((r) => r.seconds)
const perToken = (runs: ServerRun[]) => runs.map((r) => (1000 * r.seconds) / r.outputTokens)
const tokens = (runs: ServerRun[]) => runs.map((r) => r.outputTokens)
const row = (label: string, runs: ServerRun[]) => [
  label,
  showSpread(seconds(runs)),
  showSpread(tokens(runs), 0),
  showSpread(perToken(runs)),
  showSpread(runs.map((r, i) => r.seconds / (raw.published[i] as ServerRun).seconds)),
  showSpread(runs.map((r, i) => (perToken([r])[0] as number) / (perToken(raw.published)[i] as number))),
]
console.log(
  `${count} prompt(s), ${WIDTH} x ${DEPTH}, at most ${sampling.maxTokens} tokens a completion, ${THREADS} threads,`,
)
console.log(`${repeats} repetition(s) in turn; median [min, max]\n`)
printTable(
  ['side', 'seconds', 'tokens written', 'ms a token', 'wall / (a)', 'ms a token / (a)'],
  [
    row('aft, embedded', raw.own),
    row('(a) llama-server, published schedule', raw.published),
    row('(b) llama-server, n = 5', raw.withN),
  ],
)
const ratio = {
  wallToPublished: spreadOf(raw.own.map((r, i) => r.seconds / (raw.published[i] as ServerRun).seconds)),
  wallToN: spreadOf(raw.own.map((r, i) => r.seconds / (raw.withN[i] as ServerRun).seconds)),
  perTokenToPublished: spreadOf(perToken(raw.own).map((x, i) => x / (perToken(raw.published)[i] as number))),
  perTokenToN: spreadOf(perToken(raw.own).map((x, i) => x / (perToken(raw.withN)[i] as number))),
  wallToOwnLimit: spreadOf(raw.own.map((r) => r.seconds / r.limitSeconds)),
  prefilledToDistinct: spreadOf(raw.own.map((r) => r.prefilledTokens / r.distinctPromptTokens)),
}
console.log('\nratios (median [min, max])')
for (const [name, { median, min, max }] of Object.entries(ratio)) {
  console.log(`  ${name.padEnd(20)} ${median.toFixed(3)} [${min.toFixed(3)}, ${max.toFixed(3)}]`)
}
const rates = limit.decode.map(
  (p) => `${p.tokensPerSecond.toFixed(0)} (${p.sequences} behind ${p.promptTokens} tokens)`,
)
console.log(
  `\nown limit, tok/s: prefill ${limit.prefillTokensPerSecond.toFixed(0)}; decode ${rates.join(', ')}`,
)
const what = count === 1 ? 'one-question' : `${count}-prompts`
const name = flags.name ?? `embedded-${what}-${widestInstructions()}`
saveResults(name, ['npm run bench -- embedded', ...process.argv.slice(2)].join(' '), {
  settings: {
    count,
    WIDTH,
    DEPTH,
    THREADS,
    sampling,
    file: file.split('/').at(-1),
    peerFile: peerFile.split('/').at(-1),
  },
  limit,
  ratio,
  raw,
})
