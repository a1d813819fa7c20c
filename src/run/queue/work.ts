/** Works on the runs of a queue until it is stopped, or until the one run that it is for has ended. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Engine } from '../../core/provider/engine.ts'
import { describeError, type EngineError, UsageError } from '../../core/provider/errors.ts'
import type { AftEvent } from '../../core/result.ts'
import type { QueueServer } from './connect.ts'
import { hashOf, keysOf, RUNS, type RunMeta, readMeta } from './keys.ts'
import { readRunWork } from './run-work.ts'
import type { ReadWork, SentWork } from './sent-work.ts'
import { RunWorker, type WorkerOptions } from './worker.ts'

/** What a worker of a queue does. */
export interface WorkOptions {
  server: QueueServer
  /** The run to work on; without it all runs, also those that begin later. */
  run?: string
  /** Opens the engines of a run, by its names, and says how many completions they take at a time. */
  open(names: string[]): Promise<{ engines: Record<string, Engine>; places: number; close(): Promise<void> }>
  /** Reads what the work of a run is, if it is not to answer prompts. */
  readWork?: ReadWork
  /** See `WorkerOptions`. Default 60,000: a busy process or machine renews its locks late. */
  lockMs?: number
  signal?: AbortSignal
  onEvent?: (event: AftEvent) => void
  onNote?: (note: string) => void
  /** Called each second. */
  onProgress?: (state: WorkProgress) => void
}

/** How far a worker is. */
export interface WorkProgress {
  runs: string[]
  answered: number
  failed: number
  completions: number
}

interface Opened {
  worker: RunWorker
  close(): Promise<void>
}

const LOOK_MS = 1_000
const LOCK_MS = 60_000
/** A worker that comes after the end of its run waits so long for the run to begin again. */
const LATE_MS = 30_000

/** Works until the signal, or until `run` has ended. @throws what opening engines throws, and EngineError if a server refuses this worker */
export async function workOnQueue(options: WorkOptions): Promise<WorkProgress> {
  const { server, run, signal } = options
  const opened = new Map<string, Opened>()
  const ended = { answered: 0, failed: 0, completions: 0 }
  const sum = (): WorkProgress => {
    const all = [ended, ...[...opened.values()].map(({ worker }) => worker.counts)]
    const total = (name: keyof typeof ended) => all.reduce((n, counts) => n + counts[name], 0)
    return {
      runs: [...opened.keys()],
      answered: total('answered'),
      failed: total('failed'),
      completions: total('completions'),
    }
  }
  const leave = async (name: string) => {
    const { worker, close } = opened.get(name) as Opened
    await worker.close()
    for (const key of ['answered', 'failed', 'completions'] as const) ended[key] += worker.counts[key]
    opened.delete(name)
    await close()
  }
  if (run !== undefined) keysOf(run)
  let fault: EngineError | undefined
  let hasJoined = false
  /** Runs whose models this machine does not have. */
  const refused = new Set<string>()
  const startMs = performance.now()
  const onFault = (error: EngineError) => {
    fault ??= error
  }
  try {
    while (!signal?.aborted) {
      if (fault) throw fault
      await lookForRuns({ ...options, onFault, refused }, opened, leave)
      hasJoined ||= opened.size > 0
      const isOver = run !== undefined && opened.size === 0 && (await server.redis.exists(keysOf(run).ended))
      if (isOver && (hasJoined || performance.now() - startMs > LATE_MS)) break
      options.onProgress?.(sum())
      await delay(LOOK_MS, undefined, { signal }).catch(() => {})
    }
    return sum()
  } finally {
    for (const name of [...opened.keys()]) await leave(name)
  }
}

/** Joins runs that are new, and leaves those that are gone or have begun anew with other settings. */
async function lookForRuns(
  options: WorkOptions & Pick<WorkerOptions, 'onFault'> & { refused: Set<string> },
  opened: Map<string, Opened>,
  leave: (name: string) => Promise<void>,
): Promise<void> {
  const { server, run } = options
  const there = (await server.redis.smembers(RUNS)).filter((name) => run === undefined || name === run)
  const found = new Map<string, Found>()
  for (const name of there) {
    const one = await readFound(name, options)
    if (one) found.set(name, one)
  }
  for (const [name, { worker }] of opened) {
    const meta = found.get(name)?.meta
    if (meta === undefined || !worker.isOf(meta)) await leave(name)
  }
  for (const [name, one] of found) {
    const refusal = `${name} ${hashOf(one.meta)}`
    if (opened.has(name) || options.refused.has(refusal)) continue
    try {
      opened.set(name, await join(name, one, options))
    } catch (error) {
      // Another run may have models that this machine has.
      if (run !== undefined || !(error instanceof UsageError)) throw error
      options.refused.add(refusal)
      options.onNote?.(`the run ${name} is left to other workers: ${error.message}`)
    }
  }
}

/** A run of the queue, and the work of its prompts. */
interface Found {
  meta: RunMeta
  work: SentWork
}

async function readFound(
  name: string,
  { server, readWork, onNote }: WorkOptions,
): Promise<Found | undefined> {
  const place = `run ${name.slice(0, 100)}`
  try {
    const text = await server.redis.get(keysOf(name).meta)
    if (text === null) return undefined
    const meta = readMeta(text, place)
    return { meta, work: readWork?.(meta, place) ?? readRunWork(meta, place) }
  } catch (error) {
    onNote?.(`the ${place} is left out: ${describeError(error).message}`)
    return undefined
  }
}

async function join(
  name: string,
  { meta, work }: Found,
  options: WorkOptions & Pick<WorkerOptions, 'onFault'>,
): Promise<Opened> {
  const { server, onFault, lockMs = LOCK_MS, onEvent, onNote = () => {} } = options
  const { engines, places, close } = await options.open(work.engines)
  onNote(`works on the run ${name}`)
  const worker = new RunWorker({
    server,
    keys: keysOf(name),
    meta,
    work,
    engines,
    active: work.active(places),
    lockMs,
    onEvent,
    onNote,
    onFault,
  })
  return { worker, close }
}
