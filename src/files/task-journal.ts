/** The journal of an evaluation: items, what was made for each on the way, and how it ended. One loop for every task. */
import type { EngineError, ErrorRecord } from '../core/provider/errors.ts'
import { describeError, UsageError } from '../core/provider/errors.ts'
import { type JournalFile, openJournal } from '../lib/journal-file.ts'
import { type MapOutcome, mapResumably } from '../lib/resumable-map.ts'
import { createGiveUp } from './give-up.ts'
import { checkSettings } from './journal-header.ts'

/** A line of a task's journal. If `digest` has changed, the item is not the one that was worked on. */
export type TaskLine =
  | { type: 'item'; id: string; digest: string }
  | { type: 'part'; id: string; name: string; value: unknown }
  | { type: 'done'; id: string; value: unknown }
  | { type: 'failed'; id: string; error: ErrorRecord }

/** The open journal of a task. */
export type TaskJournal = JournalFile<TaskLine>

/** What the lines of a journal depend on. It may not change between two runs. */
export type TaskHeader = { type: 'header'; task: string } & Record<string, unknown>

/**
 * Opens a task's journal, or begins it.
 * @throws UsageError if it was begun with other settings, FileError if it cannot be used
 */
export function openTaskJournal(
  file: string,
  header: TaskHeader,
  { restart = false, onPart }: { restart?: boolean; onPart?: (line: TaskLine) => void } = {},
): Promise<TaskJournal> {
  return openJournal<TaskLine>(
    file,
    {
      header,
      checkHeader: (found) => checkHeader(file, header, found as TaskHeader),
      parse: parseLine,
      keyOf: (line) => line.id,
      roleOf: (line) => line.type,
      onLine: onPart,
    },
    { restart },
  )
}

function parseLine(value: object): TaskLine {
  const { type, id } = value as Partial<TaskLine>
  const isKnown = typeof type === 'string' && ['item', 'part', 'done', 'failed'].includes(type)
  if (isKnown && typeof id === 'string') return value as TaskLine
  throw new Error('expected a line of an evaluation, with `type` and `id`')
}

/** Settings that earlier versions wrote under other names. */
const formerNames: Record<string, string> = { mostChars: 'maxChars' }

function checkHeader(file: string, now: TaskHeader, found: TaskHeader): void {
  if (found.type !== 'header' || found.task !== now.task) {
    throw new UsageError(`${file} is no journal of ${now.task}; give another -o`)
  }
  const { aft: _begunBy, ...written } = found
  const journal = Object.fromEntries(
    Object.entries(written).map(([name, value]) => [formerNames[name] ?? name, value]),
  )
  const { aft: _version, ...settings } = now
  checkSettings(file, journal, settings)
}

/** One item of a task. */
export interface TaskItem {
  id: string
  digest: string
}

/** How far a task is. */
export interface TaskProgress {
  items: number
  done: number
  /** Items done in this run. */
  doneNow: number
  failed: number
}

/** What `runTask` needs. */
export interface TaskOptions<Item extends TaskItem> {
  journal: TaskJournal
  items: Item[]
  /** Number of items in progress at a time. */
  active: number
  /**
   * Does the work and returns the item's result. `parts` are the parts that an interrupted run recorded; `record` adds
   * one. An EngineError fails this item only.
   */
  work(item: Item, job: TaskJob): Promise<unknown>
  signal?: AbortSignal
  onProgress?: (progress: TaskProgress) => void
}

/** What the work on one item gets. */
export interface TaskJob {
  parts: Map<string, unknown>
  record(name: string, value: unknown): void
  signal: AbortSignal
}

/**
 * Works on every item that has not ended. The next run tries failed items again.
 * @returns the outcome, and why items failed in this run
 * @throws EngineError after five failures in a row that do not pass by themselves
 */
export async function runTask<Item extends TaskItem>({
  journal,
  items,
  active,
  work,
  signal,
  onProgress,
}: TaskOptions<Item>): Promise<{ outcome: MapOutcome; failures: { id: string; error: ErrorRecord }[] }> {
  for (const { id, digest } of items) {
    if (journal.compare({ type: 'item', id, digest }) !== 'changed') continue
    throw new UsageError(
      `the item "${id}" is not the one that ${journal.file} holds; give another -o, or start over with --restart`,
    )
  }
  const failures: { id: string; error: ErrorRecord }[] = []
  const done = items.filter(({ id }) => journal.isDone(id)).length
  const progress = { items: items.length, done, doneNow: 0, failed: 0 }
  const isHopeless = createGiveUp()
  onProgress?.(progress)
  const outcome = await mapResumably<Item, TaskLine>(items, {
    journal,
    active,
    signal,
    lineOf: ({ id, digest }) => ({ type: 'item', id, digest }),
    async work(item, job) {
      const { id } = item
      const parts = new Map(
        job.recorded.flatMap((line) => (line.type === 'part' ? [[line.name, line.value] as const] : [])),
      )
      const record = (name: string, value: unknown) => job.record({ type: 'part', id, name, value })
      try {
        const value = await work(item, { parts, record, signal: job.signal })
        progress.done++
        progress.doneNow++
        isHopeless()
        return { type: 'done', id, value }
      } catch (error) {
        job.signal.throwIfAborted()
        const { kind } = error as EngineError
        if (kind === undefined) throw error
        if (isHopeless({ kind })) throw error
        progress.failed++
        failures.push({ id, error: describeError(error) })
        return { type: 'failed', id, error: describeError(error) }
      } finally {
        onProgress?.(progress)
      }
    },
  })
  return { outcome, failures }
}

/** The result of an item; undefined if it has none yet, or failed. */
export function endOf(journal: TaskJournal, id: string): unknown {
  const end = journal.isDone(id) ? journal.ends(id)?.end : undefined
  return end?.type === 'done' ? end.value : undefined
}
