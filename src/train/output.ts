/** Opens the folder of a run: locks it, checks what is in it, and finds the checkpoint to resume from. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { hostname } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { DataError, UsageError } from '../core/provider/errors.ts'
import { readMetrics } from '../files/training-metrics.ts'
import { type Lock, takeLock } from '../lib/lock.ts'
import { makeFolder } from '../lib/make-folder.ts'
import { writeWhole } from '../lib/write-whole.ts'
import { withPresentNames } from './recipe.ts'

/** The content of `run.json`. Recipe and rows must be the same when a run is resumed. */
export interface RunRecord {
  pid: number
  /** The recipe, with defaults, without fields that may change. */
  recipe: Record<string, unknown>
  /** SHA-256 of the rows. */
  dataSha256: string
  /** Rows per update over all processes. Runs of 0.1.0 do not have it. */
  rowsPerUpdate?: number
  startedAt: string
  /** The kind of GGUF file that the run ended with. Absent until the run is finished. */
  finished?: string
}

/** An open run folder. */
export interface RunFolder {
  path: string
  file(name: string): string
  /** True if training has ended. Only later steps, such as GGUF files, may be missing. */
  isTrained: boolean
  /** Says whether the run is finished, with this kind of GGUF file. */
  isFinished(gguf: string): boolean
  /** Marks the run as finished. */
  finish(gguf: string): void
  /** Rows per update over all processes, from the beginning of the run. */
  rowsPerUpdate: number
  /** The newest complete checkpoint, and the step that it was written after. */
  checkpoint?: { path: string; step: number }
  /** Tokens and seconds up to this checkpoint. */
  before: { tokens: number; seconds: number }
  release(): void
}

/** If its parent is killed, a trainer ends within this time. */
const HOLDER_MS = 10_000

/**
 * Locks the folder for this process. A run in it is resumed: everything after its last complete checkpoint is removed.
 * @param options `restart` moves an earlier run into `old/` and begins anew
 * @throws UsageError if the folder has other content, a run with another recipe or other rows, or is in use
 */
export async function openRunFolder(
  folder: string,
  record: RunRecord,
  { restart = false, onLine }: { restart?: boolean; onLine: (line: string) => void },
): Promise<RunFolder> {
  const file = (name: string) => path.join(folder, name)
  makeFolder(folder)
  const lock = await claim(folder, onLine)
  try {
    const isBegun = existsSync(file('metrics.jsonl')) || existsSync(file('model'))
    if (restart) moveAside(folder)
    const old = restart ? undefined : readRecord(file('run.json'))
    const isResumed = isBegun && !restart
    if (!old) refuseContent(folder)
    if (isResumed && old) refuseOther(folder, old, record)
    const isTrained = isResumed && existsSync(file('model/complete'))
    const checkpoint = isResumed && !isTrained ? findCheckpoint(folder) : undefined
    if (!isTrained) removeAfter(folder, checkpoint?.step ?? 0)
    if (isResumed && !isTrained) onLine(describeStart(folder, checkpoint))
    const write = (now: RunRecord) => writeWhole(file('run.json'), `${JSON.stringify(now, null, 2)}\n`)
    const finished = isTrained ? old?.finished : undefined
    const rowsPerUpdate = (isResumed ? old?.rowsPerUpdate : undefined) ?? record.rowsPerUpdate ?? 1
    write({ ...record, rowsPerUpdate, finished })
    const last = readMetrics(file('metrics.jsonl')).at(-1)
    return {
      path: folder,
      file,
      isTrained,
      rowsPerUpdate,
      isFinished: (gguf) => finished === gguf,
      finish: (gguf) => write({ ...record, finished: gguf }),
      checkpoint,
      before: { tokens: last?.tokens ?? 0, seconds: last?.seconds ?? 0 },
      release: () => lock.release(),
    }
  } catch (error) {
    lock.release()
    throw error
  }
}

/** Takes our lock, and waits for the trainer's: if its parent was killed, an earlier trainer may still be ending. */
async function claim(folder: string, onLine: (line: string) => void): Promise<Lock> {
  const lock = takeLock(path.join(folder, 'aft.lock'))
  const holder = readHolder(path.join(folder, 'run.json'))
  const busy = `${folder} is in use by ${holder ? `process ${holder}` : 'another process'}`
  if (!lock) throw new UsageError(`${busy}: wait for its end, or give another -o`)
  const other = readLease(path.join(folder, 'trainer.lease'))
  if (other !== undefined) {
    lock.release()
    throw new UsageError(`${folder} is in use by a trainer on ${other}: end it first, or wait for its end`)
  }
  for (let waitedMs = 0; ; waitedMs += 250) {
    const trainers = takeLock(path.join(folder, 'trainer.lock'))
    if (trainers) {
      trainers.release()
      return lock
    }
    if (waitedMs === 0) onLine('an earlier trainer still has the folder; waiting for its end')
    if (waitedMs >= HOLDER_MS) {
      lock.release()
      throw new UsageError(
        `${folder} is in use by a trainer that process ${holder ?? '?'} started: end it first`,
      )
    }
    await delay(250)
  }
}

/** The trainer renews its lease every 20 seconds. Clocks of machines differ a little. */
const LEASE_MS = 120_000

/** Returns the machine and process that train into a folder, started by a scheduler. File locks do not hold between machines. */
function readLease(file: string): string | undefined {
  const age = Date.now() - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0)
  if (age > LEASE_MS) return undefined
  try {
    const { host, pid } = JSON.parse(readFileSync(file, 'utf8'))
    if (host === hostname() && !isAlive(pid)) return undefined
    return `${host} (process ${pid})`
  } catch {
    return undefined
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

const OLD = 'old'

const listContent = (folder: string) =>
  readdirSync(folder).filter((name) => !/\.(lease|lock(-journal)?)$/.test(name))

/** Moves an earlier run into `old/`. Only one earlier run is kept, as with `--restart` of a journal. */
function moveAside(folder: string): void {
  if (!existsSync(path.join(folder, 'run.json'))) return
  const names = listContent(folder).filter((name) => name !== OLD)
  const old = path.join(folder, OLD)
  rmSync(old, { recursive: true, force: true })
  mkdirSync(old)
  for (const name of names) renameSync(path.join(folder, name), path.join(old, name))
}

/** Rejects a folder that has files but no run. */
function refuseContent(folder: string): void {
  if (listContent(folder).some((name) => name !== OLD))
    throw new UsageError(`${folder} is not empty and does not have a run (run.json); give another -o`)
}

function refuseOther(folder: string, old: RunRecord, now: RunRecord): void {
  const advice = 'Give another -o, or --restart to begin anew'
  if (old.dataSha256 !== now.dataSha256) {
    throw new UsageError(`${folder} has a run on other rows. ${advice}`)
  }
  const keys = new Set([...Object.keys(old.recipe), ...Object.keys(now.recipe)])
  const changed = [...keys].filter(
    (key) => JSON.stringify(old.recipe[key]) !== JSON.stringify(now.recipe[key]),
  )
  if (changed.length === 0) return
  const shown = (value: unknown) => JSON.stringify(value) ?? 'not given'
  const list = changed.map(
    (key) => `${key} was ${shown(old.recipe[key])}, now it is ${shown(now.recipe[key])}`,
  )
  throw new UsageError(
    `${folder} has a run with another recipe (${list.join('; ')}); a recipe cannot change midway. ${advice}`,
  )
}

function describeStart(folder: string, checkpoint: RunFolder['checkpoint']): string {
  return checkpoint
    ? `resuming after step ${checkpoint.step}`
    : `${folder} has no complete checkpoint yet: starting from the beginning`
}

/** Finds the newest checkpoint that is marked as complete. A kill during writing leaves a checkpoint without the mark. */
function findCheckpoint(folder: string): RunFolder['checkpoint'] {
  const steps = readSteps(folder).filter((step) =>
    existsSync(path.join(folder, `checkpoint-${step}`, 'complete')),
  )
  const step = steps.sort((a, b) => b - a)[0]
  return step === undefined ? undefined : { path: path.join(folder, `checkpoint-${step}`), step }
}

function readSteps(folder: string): number[] {
  return readdirSync(folder).flatMap(
    (name) => Number(/^checkpoint-(\d+)$/.exec(name)?.[1] ?? Number.NaN) || [],
  )
}

function removeAfter(folder: string, step: number): void {
  for (const found of readSteps(folder)) {
    if (found > step) rmSync(path.join(folder, `checkpoint-${found}`), { recursive: true, force: true })
  }
  rmSync(path.join(folder, 'model'), { recursive: true, force: true })
  for (const name of ['metrics.jsonl', 'eval.jsonl']) {
    const file = path.join(folder, name)
    const kept = readMetrics(file).filter((metric) => metric.step <= step)
    if (existsSync(file)) writeWhole(file, kept.map((metric) => `${JSON.stringify(metric)}\n`).join(''))
  }
}

/** Reads the record of a run. @throws DataError if the file is broken, because the run is then unknown */
function readRecord(file: string): RunRecord | undefined {
  if (!existsSync(file)) return undefined
  try {
    const record: RunRecord = JSON.parse(readFileSync(file, 'utf8'))
    return { ...record, recipe: withPresentNames(record.recipe) }
  } catch (error) {
    const advice = 'give another -o, or --restart to begin anew'
    throw new DataError(
      file,
      undefined,
      `expected the record of a run (${(error as Error).message}); ${advice}`,
    )
  }
}

/** Returns the process id in a folder's record, if there is one. */
function readHolder(file: string): number | undefined {
  try {
    return readRecord(file)?.pid
  } catch {
    return undefined // the id is only for a message; opening the folder reports a broken record
  }
}
