/** The folder of a run: who owns it, what is in it, and from where it goes on. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { UsageError } from '../core/provider/errors.ts'
import { toFileError } from '../lib/file-error.ts'
import { type Lock, takeLock } from '../lib/lock.ts'
import type { Metric } from './launch.ts'

/** What `run.json` keeps: all that must be the same when a run goes on. */
export interface RunRecord {
  pid: number
  /** Recipe as it was read. */
  recipe: Record<string, unknown>
  /** SHA-256 of the rows. */
  dataSha256: string
  startedAt: string
}

export interface RunFolder {
  path: string
  file(name: string): string
  /** Whether training has ended and only what comes after it may be missing. */
  isTrained: boolean
  /** The newest whole checkpoint, and what was counted up to it. */
  checkpoint?: { path: string; step: number }
  before: { tokens: number; seconds: number }
  release(): void
}

/** A trainer whose parent was killed ends within this time. */
const HOLDER_MS = 10_000

/**
 * Takes the folder for this process. Where a run goes on, what is newer than its last whole checkpoint is removed.
 * @throws UsageError where it holds something else, another process has it, or the run was another one
 */
export async function openRunFolder(
  folder: string,
  record: RunRecord,
  { resume, onLine }: { resume: boolean; onLine: (line: string) => void },
): Promise<RunFolder> {
  const file = (name: string) => path.join(folder, name)
  try {
    mkdirSync(folder, { recursive: true })
  } catch (error) {
    throw toFileError(folder, error)
  }
  const lock = await claim(folder, onLine)
  try {
    const old = readRecord(file('run.json'))
    const isBegun = existsSync(file('metrics.jsonl')) || existsSync(file('model'))
    if (!resume) refuseContent(folder, old, isBegun)
    if (resume && old && isBegun) refuseOther(old, record)
    const isTrained = resume && existsSync(file('model/complete'))
    const checkpoint = resume && !isTrained ? findCheckpoint(folder) : undefined
    if (!isTrained) removeAfter(folder, checkpoint?.step ?? 0)
    if (resume && !isTrained) onLine(describeStart(folder, checkpoint))
    writeFileSync(file('run.json'), `${JSON.stringify(record, null, 2)}\n`)
    const last = readMetrics(file('metrics.jsonl')).at(-1)
    const before = { tokens: last?.tokens ?? 0, seconds: last?.seconds ?? 0 }
    return { path: folder, file, isTrained, checkpoint, before, release: () => lock.release() }
  } catch (error) {
    lock.release()
    throw error
  }
}

/** Our own lock, and the trainer's: one whose parent was killed may still be about to end. */
async function claim(folder: string, onLine: (line: string) => void): Promise<Lock> {
  const lock = takeLock(path.join(folder, 'aft.lock'))
  const holder = readRecord(path.join(folder, 'run.json'))?.pid
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

function refuseContent(folder: string, old: RunRecord | undefined, isBegun: boolean): void {
  const others = readdirSync(folder).filter((name) => !/\.lock(-journal)?$/.test(name))
  if (isBegun) throw new UsageError(`${folder} holds a run: go on with --resume, or give another -o`)
  if (others.length > 0 && !old) throw new UsageError(`${folder} is not empty; give another -o`)
}

function refuseOther(old: RunRecord, now: RunRecord): void {
  if (old.dataSha256 !== now.dataSha256) {
    throw new UsageError('--resume: the rows are not those of the first start; give another -o')
  }
  const keys = new Set([...Object.keys(old.recipe), ...Object.keys(now.recipe)])
  const changed = [...keys].filter(
    (key) => JSON.stringify(old.recipe[key]) !== JSON.stringify(now.recipe[key]),
  )
  if (changed.length === 0) return
  const list = changed.map((key) => `${key} was ${JSON.stringify(old.recipe[key])}`).join(', ')
  throw new UsageError(
    `--resume: the recipe is another one (${list}); a schedule cannot be changed midway. Give another -o`,
  )
}

function describeStart(folder: string, checkpoint: RunFolder['checkpoint']): string {
  return checkpoint
    ? `going on after step ${checkpoint.step}`
    : `${folder} has no whole checkpoint: starting from the beginning`
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

/** The lines of `metrics.jsonl` or `eval.jsonl`; a torn last one is left out. */
export function readMetrics(file: string): Metric[] {
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as Metric]
      } catch {
        return []
      }
    })
}

function readRecord(file: string): RunRecord | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as RunRecord
  } catch {
    return undefined
  }
}
