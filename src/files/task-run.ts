/** Runs one evaluation from its first item to its last, with its own journal. */
import { createHash } from 'node:crypto'
import type { ErrorRecord } from '../core/provider/errors.ts'
import type { MapOutcome } from '../lib/resumable-map.ts'
import { endOf, openTaskJournal, runTask, type TaskJob, type TaskProgress } from './task-journal.ts'

/** What the work on an item gets, and how far all items are. */
export type { TaskJob, TaskProgress }

/** How an evaluation runs: the same settings for every task. */
export interface TaskSettings {
  /** Path of the journal. */
  journal: string
  /** Renames the journal of an earlier run and starts a new one. */
  restart?: boolean
  /** Number of items in progress at a time. */
  active: number
  /** This program's version, for the journal's header. */
  version: string
  signal?: AbortSignal
  onProgress?: (progress: TaskProgress) => void
}

/** How an evaluation ended. */
export interface TaskOutcome {
  outcome: MapOutcome
  failures: { id: string; error: ErrorRecord }[]
}

/** A task: its items, and the work on each. */
export interface JournaledTask<Item extends { id: string }, End> {
  task: string
  /** What the journal's lines depend on. A resumed run must have the same. */
  header: Record<string, unknown>
  items: Item[]
  /** The part of an item that its result depends on. */
  contentOf(item: Item): unknown
  work(item: Item, job: TaskJob): Promise<End>
}

/**
 * Works on every item that has not ended in the journal.
 * @returns the result of each item, in order; undefined if it failed or was not reached
 * @throws UsageError if the journal has other settings, EngineError if an engine cannot work at all
 */
export async function runJournaledTask<Item extends { id: string }, End>(
  { task, header, items, contentOf, work }: JournaledTask<Item, End>,
  { journal: file, restart, active, version, signal, onProgress }: TaskSettings,
): Promise<TaskOutcome & { ends: (End | undefined)[] }> {
  const head = { type: 'header' as const, task, version: 1, aft: version, ...header }
  const journal = await openTaskJournal(file, head, { restart })
  try {
    const entries = items.map((item) => ({ id: item.id, digest: digestOf(contentOf(item)), item }))
    const { outcome, failures } = await runTask({
      journal,
      items: entries,
      active,
      work: ({ item }, job) => work(item, job),
      signal,
      onProgress,
    })
    return { outcome, failures, ends: items.map(({ id }) => endOf(journal, id) as End | undefined) }
  } finally {
    journal.close()
  }
}

function digestOf(content: unknown): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 16)
}

/** Returns a part of an item's work: the one that an interrupted run recorded, or a new one, which it records. */
export async function keepPart<T>(
  { parts, record }: TaskJob,
  name: string,
  make: () => Promise<T>,
): Promise<T> {
  if (parts.has(name)) return parts.get(name) as T
  const value = await make()
  record(name, value)
  return value
}
