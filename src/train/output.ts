/** The folder of a run: who owns it, what is in it, and from where it is resumed. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { DataError, UsageError } from '../core/provider/errors.ts'
import { readMetrics } from '../files/training-metrics.ts'
import { toFileError } from '../lib/file-error.ts'
import { type Lock, takeLock } from '../lib/lock.ts'

/** What `run.json` keeps: all that must be the same when a run is resumed. */
export interface RunRecord {
  pid: number
  /** Recipe as it was read. */
  recipe: Record<string, unknown>
  /** SHA-256 of the rows. */
  dataSha256: string
  startedAt: string
  /** The kind of GGUF file that the run ended with. Absent until all is done. */
  finished?: string
}

/** An open run folder. */
export interface RunFolder {
  path: string
  file(name: string): string
  /** Whether training has ended and only what comes after it may be missing. */
  isTrained: boolean
  /** Whether the run has ended with the kind of GGUF file that is wanted now. */
  isFinished(gguf: string): boolean
  /** Marks the run as ended. */
  finish(gguf: string): void
  /** The newest whole checkpoint, and the step that it was written after. */
  checkpoint?: { path: string; step: number }
  /** What was counted up to it. */
  before: { tokens: number; seconds: number }
  release(): void
}

/** A trainer whose parent was killed ends within this time. */
const HOLDER_MS = 10_000

/**
 * Takes the folder for this process. A run in it is resumed: what is newer than its last whole checkpoint is removed.
 * @param options `restart`: what is there moves into `old/`, and the run begins anew
 * @throws UsageError if it holds something else, another process has it, or the run was another one
 */
export async function openRunFolder(
  folder: string,
  record: RunRecord,
  { restart = false, onLine }: { restart?: boolean; onLine: (line: string) => void },
): Promise<RunFolder> {
  const file = (name: string) => path.join(folder, name)
  try {
    mkdirSync(folder, { recursive: true })
  } catch (error) {
    throw toFileError(folder, error)
  }
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
    const write = (now: RunRecord) => writeFileSync(file('run.json'), `${JSON.stringify(now, null, 2)}\n`)
    const finished = isTrained ? old?.finished : undefined
    write({ ...record, finished })
    const last = readMetrics(file('metrics.jsonl')).at(-1)
    return {
      path: folder,
      file,
      isTrained,
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

/** Our own lock, and the trainer's: one whose parent was killed may still be about to end. */
async function claim(folder: string, onLine: (line: string) => void): Promise<Lock> {
  const lock = takeLock(path.join(folder, 'aft.lock'))
  const holder = readHolder(path.join(folder, 'run.json'))
  const busy = `${folder} is in use by ${holder ? `process ${holder}` : 'another process'}`
  if (!lock) throw new UsageError(`${busy}: let that end, or give another -o`)
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

const OLD = 'old'

const listContent = (folder: string) => readdirSync(folder).filter((name) => !/\.lock(-journal)?$/.test(name))

/** As `--restart` of a journal does: one earlier run is kept. */
function moveAside(folder: string): void {
  if (!existsSync(path.join(folder, 'run.json'))) return
  const names = listContent(folder).filter((name) => name !== OLD)
  const old = path.join(folder, OLD)
  rmSync(old, { recursive: true, force: true })
  mkdirSync(old)
  for (const name of names) renameSync(path.join(folder, name), path.join(old, name))
}

/** A folder that is no run's may hold nothing else. */
function refuseContent(folder: string): void {
  if (listContent(folder).some((name) => name !== OLD))
    throw new UsageError(`${folder} is not empty, and holds no run (run.json); give another -o`)
}

function refuseOther(folder: string, old: RunRecord, now: RunRecord): void {
  const advice = 'Give another -o, or --restart to begin anew'
  if (old.dataSha256 !== now.dataSha256) {
    throw new UsageError(`${folder} holds a run on other rows. ${advice}`)
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
    `${folder} holds a run by another recipe (${list.join('; ')}); a schedule cannot change midway. ${advice}`,
  )
}

function describeStart(folder: string, checkpoint: RunFolder['checkpoint']): string {
  return checkpoint
    ? `resuming after step ${checkpoint.step}`
    : `${folder} has no whole checkpoint yet: starting from the beginning`
}

/** A checkpoint counts once it is marked; a kill while it was written leaves it without. */
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
    if (existsSync(file)) writeFileSync(file, kept.map((metric) => `${JSON.stringify(metric)}\n`).join(''))
  }
}

/** @throws DataError if the file is broken: then it is not known which run this is */
function readRecord(file: string): RunRecord | undefined {
  if (!existsSync(file)) return undefined
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as RunRecord
  } catch (error) {
    const advice = 'give another -o, or --restart to begin anew'
    throw new DataError(
      file,
      undefined,
      `expected the record of a run (${(error as Error).message}); ${advice}`,
    )
  }
}

/** The process that a folder's record names, if it names one. */
function readHolder(file: string): number | undefined {
  try {
    return readRecord(file)?.pid
  } catch {
    return undefined // only for a message; opening the folder reports it
  }
}
