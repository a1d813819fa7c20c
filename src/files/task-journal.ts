/** The journal of an evaluation: items, what was made for each on the way, and how it ended. One loop for every task. */
import {
  describeError,
  EngineError,
  type EngineErrorKind,
  type ErrorRecord,
  UsageError,
} from '../core/provider/errors.ts'
import { type JournalFile, openJournal } from '../lib/journal-file.ts'
import { type Job, type MapOutcome, mapResumably } from '../lib/resumable-map.ts'
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
  { restart = false, onLine }: { restart?: boolean; onLine?: (line: TaskLine) => void } = {},
): Promise<TaskJournal> {
  return openJournal<TaskLine>(
    file,
    {
      header,
      checkHeader: (found) => checkHeader(file, header, found as TaskHeader),
      parse: parseTaskLine,
      keyOf: (line) => line.id,
      roleOf: (line) => line.type,
      onLine,
    },
    { restart },
  )
}

/** Checks that a value is a line of a task's journal. @throws Error that says what was expected */
export function parseTaskLine(value: object): TaskLine {
  const { type, id } = (value ?? {}) as Partial<TaskLine>
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
  active: number | (() => number)
  /** Does the work on an item and returns its last line, as `workOnItem` does. */
  work(item: Item, job: Job<TaskLine>): Promise<TaskLine>
  /** Changes as items end. */
  progress: TaskProgress
  signal?: AbortSignal
  onProgress?: (progress: TaskProgress) => void
}

/** What the work on one item gets. */
export interface TaskJob {
  /** The parts that an interrupted run recorded. */
  parts: Map<string, unknown>
  record(name: string, value: unknown): void
  signal: AbortSignal
}

/**
 * Does the work on one item, and returns the line with its result.
 * @throws what is no EngineError, which would fail only this item; the signal's reason
 */
export async function workOnItem(
  { key: id, recorded, record, signal }: Pick<Job<TaskLine>, 'key' | 'recorded' | 'record' | 'signal'>,
  work: (job: TaskJob) => Promise<unknown>,
): Promise<TaskLine> {
  const parts = new Map(
    recorded.flatMap((line) => (line.type === 'part' ? [[line.name, line.value] as const] : [])),
  )
  const recordPart = (name: string, value: unknown) => record({ type: 'part', id, name, value })
  try {
    return { type: 'done', id, value: await work({ parts, record: recordPart, signal }) }
  } catch (error) {
    signal.throwIfAborted()
    if ((error as EngineError).kind === undefined) throw error
    return { type: 'failed', id, error: describeError(error) }
  }
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
  progress,
  signal,
  onProgress,
}: TaskOptions<Item>): Promise<{ outcome: MapOutcome; failures: { id: string; error: ErrorRecord }[] }> {
  const failures: { id: string; error: ErrorRecord }[] = []
  const isHopeless = createGiveUp()
  progress.done = items.filter(({ id }) => journal.isDone(id)).length
  onProgress?.(progress)
  const outcome = await mapResumably<Item, TaskLine>(items, {
    journal,
    active,
    signal,
    lineOf: ({ id, digest }) => ({ type: 'item', id, digest }),
    async work(item, job) {
      const end = await work(item, job)
      if (end.type === 'failed') {
        const { kind, engine = 'the model', message } = end.error
        if (isHopeless(end.error)) throw new EngineError(engine, kind as EngineErrorKind, message)
        progress.failed++
        failures.push({ id: item.id, error: end.error })
      } else {
        isHopeless()
        progress.done++
        progress.doneNow++
      }
      onProgress?.(progress)
      return end
    },
  })
  return { outcome, failures }
}

/** Refuses items that are not those of the journal. @throws UsageError */
export function checkItems(journal: TaskJournal, items: TaskItem[]): void {
  for (const { id, digest } of items) {
    if (journal.compare({ type: 'item', id, digest }) !== 'changed') continue
    throw new UsageError(
      `the item "${id}" is not the one that ${journal.file} holds; give another -o, or start over with --restart`,
    )
  }
}

/** The result of an item; undefined if it has none yet, or failed. */
export function endOf(journal: TaskJournal, id: string): unknown {
  const end = journal.isDone(id) ? journal.ends(id)?.end : undefined
  return end?.type === 'done' ? end.value : undefined
}
