/** Runs one evaluation from its first item to its last, with its own journal. */
import { createHash } from 'node:crypto'
import type { ErrorRecord } from '../core/provider/errors.ts'
import type { Job, MapOutcome } from '../lib/resumable-map.ts'
import {
  checkItems,
  endOf,
  openTaskJournal,
  runTask,
  type TaskHeader,
  type TaskJob,
  type TaskJournal,
  type TaskLine,
  type TaskProgress,
  workOnItem,
} from './task-journal.ts'

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
  /** Has the work done elsewhere, such as by the workers of a queue, and not here. */
  elsewhere?: (task: SentTask) => Promise<Elsewhere>
}

/** What the work on the items of a task depends on, as JSON. `src/eval/sent-work.ts` reads it. */
export interface TaskSetup {
  /** Which work it is. */
  kind: string
  /** Names of the engines. */
  engines: string[]
  [more: string]: unknown
}

/** A task whose work is done elsewhere. */
export interface SentTask {
  header: TaskHeader
  setup: TaskSetup
  journal: TaskJournal
  /** The `at` of the last line of the journal that has one. */
  cursor: string | undefined
  /** Whether the journal is new. */
  isNew: boolean
  progress: TaskProgress
}

/** Where the work is done. */
export interface Elsewhere {
  work(item: { id: string }, job: Job<TaskLine>): Promise<TaskLine>
  /** Number of items in progress at a time. */
  active: () => number
  close(outcome: MapOutcome | 'failed'): Promise<void>
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
  /** Undefined if the work can be done only here. */
  setup?: TaskSetup
  work(item: Item, job: TaskJob): Promise<End>
}

/**
 * Works on every item that has not ended in the journal.
 * @returns the result of each item, in order; undefined if it failed or was not reached
 * @throws UsageError if the journal has other settings, EngineError if an engine cannot work at all
 */
export async function runJournaledTask<Item extends { id: string }, End>(
  { task, header, items, contentOf, setup, work }: JournaledTask<Item, End>,
  { journal: file, restart, active, version, signal, onProgress, elsewhere }: TaskSettings,
): Promise<TaskOutcome & { ends: (End | undefined)[] }> {
  const head = { type: 'header' as const, task, version: 1, aft: version, ...header }
  const progress = { items: items.length, done: 0, doneNow: 0, failed: 0 }
  let [cursor, isNew] = [undefined as string | undefined, true]
  const onLine = ({ at }: TaskLine & { at?: unknown }) => {
    isNew = false
    if (typeof at === 'string') cursor = at
  }
  const journal = await openTaskJournal(file, head, { restart, onLine })
  let [there, outcome] = [undefined as Elsewhere | undefined, 'failed' as MapOutcome | 'failed']
  try {
    const entries = items.map((item) => ({ id: item.id, digest: digestOf(contentOf(item)), item }))
    checkItems(journal, entries)
    if (setup) there = await elsewhere?.({ header: head, setup, journal, cursor, isNew, progress })
    const end = await runTask({
      journal,
      items: entries,
      active: there?.active ?? active,
      work: ({ item }, job) => (there ? there.work(item, job) : workOnItem(job, (own) => work(item, own))),
      progress,
      signal,
      onProgress,
    })
    outcome = end.outcome
    return { ...end, ends: items.map(({ id }) => endOf(journal, id) as End | undefined) }
  } finally {
    await there?.close(outcome)
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
