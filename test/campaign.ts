/** A campaign of faults against a run through a queue. The bench and a slow test run it, long and short. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { aft } from './command-line.ts'
import { aftPart, countRun, type Part, startRedis, startUpstream, untilListening } from './queue-parts.ts'

export interface CampaignOptions {
  folder: string
  prompts: number
  workers: number
  /** Completions that a worker has in flight at most. */
  places: number
  /** Kills and stops of processes. Storms of the upstream come on top. */
  processFaults: number
  /** Mean time between two faults. */
  everyMs: number
  /** Mean time that the upstream takes for a request. */
  upstreamMs: number
  takeoverS: number
  random: () => number
  log?: (line: string) => void
}

const WIDTH = 3
const PER_PROMPT = WIDTH + 1

/** Runs the campaign until all prompts have ended. */
export async function runCampaign(options: CampaignOptions) {
  const { folder, prompts, places, takeoverS, log = () => {} } = options
  const rows = Array.from(
    { length: prompts },
    (_, i) => `${JSON.stringify({ prompt: `question ${i} of many` })}\n`,
  )
  writeFileSync(path.join(folder, 'p.jsonl'), rows.join(''))
  const startMs = performance.now()
  const { part: redis, port } = await startRedis(folder)
  const upstream = await startUpstream(folder, options.upstreamMs)
  const queue = ['--queue', `redis://127.0.0.1:${port}/0`]
  const plan = ['--model', upstream.model, '--width', `${WIDTH}`, '--depth', '1', '--no-progress']
  const workArgs = ['work', ...queue, '--concurrency', `${places}`, '--takeover-s', `${takeoverS}`]
  const workers = Array.from({ length: options.workers }, (_, i) =>
    aftPart(
      `worker${i}`,
      [...workArgs, '--timeout-ms', '4000', '--max-retries', '20', '--no-progress'],
      folder,
    ).start(),
  )
  const submitter = aftPart(
    'submitter',
    ['run', 'p.jsonl', '-o', 'a.jsonl', ...queue, ...plan],
    folder,
  ).start()
  const parts = { redis, upstream: upstream.part, workers, submitter, stormPort: upstream.port }
  try {
    const faults = await disturb(parts, options)
    const seconds = (performance.now() - startMs) / 1000
    log(`ended after ${seconds.toFixed(0)} s`)
    const counts = countRun(path.join(folder, 'a.jsonl.journal'), upstream.log)
    const wrong = await countWrong(folder, plan, upstream)
    return summarize({ counts, faults, wrong, seconds, options })
  } finally {
    for (const part of [...workers, submitter, redis, upstream.part]) await part.kill()
  }
}

interface Parts {
  redis: Part
  upstream: Part
  workers: Part[]
  submitter: Part
  stormPort: number
}

type Faults = Record<string, number>

/** Injects faults, and starts again what ended, until the submitter has ended with an answer for each prompt. */
async function disturb(
  parts: Parts,
  { processFaults, everyMs, random, log = () => {} }: CampaignOptions,
): Promise<Faults> {
  const faults: Faults = {}
  const stopped = new Map<Part, number>()
  let injected = 0
  for (let tries = 0; ; ) {
    await delay(everyMs * (0.5 + random()))
    for (const [part, untilMs] of stopped) {
      if (performance.now() < untilMs) continue
      part.child.kill('SIGCONT')
      stopped.delete(part)
    }
    const { submitter } = parts
    if (!submitter.isRunning && submitter.child.exitCode === 0) return faults
    // With failed prompts it ends with 1, and the next run tries them again. It may not do so for ever.
    if (!submitter.isRunning && submitter.child.exitCode === 1 && injected >= processFaults && ++tries > 5)
      return faults
    for (const part of [parts.redis, parts.upstream, ...parts.workers, submitter])
      if (!part.isRunning) part.start()
    if (injected >= processFaults) {
      if (random() < 0.3) await storm(parts, faults)
      continue
    }
    const name = await injectOne(parts, stopped, random)
    if (name === 'storm') await storm(parts, faults)
    else {
      faults[name] = (faults[name] ?? 0) + 1
      if (++injected % 25 === 0) log(`${injected} faults of processes`)
    }
  }
}

/** What is hit, as often as it stands here. */
const targets: string[] = [
  ...Array<string>(6).fill('storm'),
  ...Array<string>(6).fill('worker SIGKILL'),
  ...Array<string>(4).fill('worker SIGSTOP'),
  ...Array<string>(3).fill('submitter SIGKILL'),
  ...Array<string>(2).fill('submitter SIGSTOP'),
  ...Array<string>(2).fill('redis SIGKILL'),
  ...Array<string>(2).fill('redis SIGSTOP'),
  ...Array<string>(2).fill('upstream SIGKILL'),
  'upstream SIGSTOP',
]

async function injectOne(parts: Parts, stopped: Map<Part, number>, random: () => number): Promise<string> {
  const pick = <T>(from: T[]) => from[Math.floor(random() * from.length)] as T
  const name = pick(targets)
  const [what, how] = name.split(' ') as ['worker' | 'submitter' | 'redis' | 'upstream', string | undefined]
  if (how === undefined) return name
  const part = what === 'worker' ? pick(parts.workers) : parts[what]
  if (how === 'SIGKILL') {
    stopped.delete(part)
    await part.kill()
  } else if (part.isRunning) {
    part.child.kill('SIGSTOP')
    // A worker may be stopped for longer than it takes until others have its prompts.
    stopped.set(part, performance.now() + (what === 'worker' ? 10_000 : 2_500) * random())
  }
  return name
}

async function storm({ stormPort }: Parts, faults: Faults): Promise<void> {
  const body = JSON.stringify({ share: 0.6, ms: 1_500 })
  const signal = AbortSignal.timeout(500)
  const isHeard = await fetch(`http://127.0.0.1:${stormPort}/storm`, { method: 'POST', body, signal }).then(
    () => true,
    () => false,
  )
  if (isHeard) faults.storm = (faults.storm ?? 0) + 1
}

/** Answers that are not those of a run alone without faults. Degraded ones are left out: they had fewer proposals. */
async function countWrong(
  folder: string,
  plan: string[],
  { part, port }: { part: Part; port: number },
): Promise<{ compared: number; wrong: number }> {
  await part.kill()
  part.start()
  await untilListening(port)
  rmSync(path.join(folder, 'alone.jsonl'), { force: true })
  await aft(['run', 'p.jsonl', '-o', 'alone.jsonl', ...plan, '--concurrency', '256'], { cwd: folder })
  const read = (name: string) =>
    new Map(
      readFileSync(path.join(folder, name), 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line))
        .map(({ id, answer, degraded }) => [id, { answer, degraded }]),
    )
  const [alone, disturbed] = [read('alone.jsonl'), read('a.jsonl')]
  const whole = [...disturbed].filter(([, { answer, degraded }]) => answer !== undefined && !degraded)
  return {
    compared: whole.length,
    wrong: whole.filter(([id, { answer }]) => alone.get(id)?.answer !== answer).length,
  }
}

function summarize({
  counts,
  faults,
  wrong,
  seconds,
  options: { prompts, workers, places, folder },
}: {
  counts: ReturnType<typeof countRun>
  faults: Faults
  wrong: { compared: number; wrong: number }
  seconds: number
  options: CampaignOptions
}) {
  const ofKind = (pattern: RegExp) =>
    Object.entries(faults).reduce((sum, [name, n]) => sum + (pattern.test(name) ? n : 0), 0)
  const ofProcesses = ofKind(/SIG/)
  const ofUpstream = Object.values(counts.faults).reduce((a, b) => a + b, 0)
  const rows = readFileSync(path.join(folder, 'a.jsonl'), 'utf8').trimEnd().split('\n')
  // A worker that ends or stops loses what it has in flight; after an outage of Redis or of the upstream each worker may.
  const inFlight = places * (ofKind(/worker/) + workers * ofKind(/redis|upstream/))
  return {
    prompts,
    seconds: Math.round(seconds),
    faults: {
      all: ofProcesses + ofUpstream,
      ofProcesses,
      ofUpstream,
      byKind: { ...faults, ...counts.faults },
    },
    rows: rows.length,
    answered: counts.answers,
    failed: rows.filter((row) => JSON.parse(row).error).length,
    failedReasons: counts.failedReasons,
    lost: prompts - new Set(rows.map((row) => JSON.parse(row).id)).size,
    completions: counts.completions,
    planned: prompts * PER_PROMPT,
    paidAgain: counts.sent.again,
    mayPayAgain: inFlight,
    answersCompared: wrong.compared,
    answersWrong: wrong.wrong,
  }
}
