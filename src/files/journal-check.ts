/** Reads a journal line by line, also one that is damaged: which lines are good, and what is wrong with the others. */
import { renameSync, rmSync } from 'node:fs'
import { UsageError } from '../core/provider/errors.ts'
import { type EachLine, openLines, readEachLine } from '../lib/jsonl.ts'
import { takeLock } from '../lib/lock.ts'
import { checkReplaceable } from '../lib/write-whole.ts'
import { parseRecord } from './journal-records.ts'
import { parseTaskLine } from './task-journal.ts'

/** A line that no journal has, by its number from 1. */
export interface BadLine {
  line: number
  problem: string
}

/** What a journal holds. */
export interface JournalState {
  /** `run`, or the name of an evaluation's task. */
  kind: string
  lines: number
  items: number
  done: number
  failed: number
  /** Items that were begun and have not ended. */
  open: number
  /** The first 100. */
  bad: BadLine[]
  badCount: number
  /** The last line was cut by a crash: the next run drops it, and asks for it again. */
  isTorn: boolean
}

const MAX_LISTED = 100

/**
 * Reads a journal to its end, whatever is in it.
 * @param onLine gets each line, with its problem if it is bad
 * @throws UsageError if it has no header, FileError if it cannot be read
 */
export async function checkJournal(
  file: string,
  onLine: (line: EachLine, problem: string | undefined) => void = () => {},
): Promise<JournalState> {
  checkReplaceable(file) // a device has no end
  const items = new Map<string, 'open' | 'done' | 'failed'>()
  const state: JournalState = {
    kind: '',
    lines: 0,
    items: 0,
    done: 0,
    failed: 0,
    open: 0,
    bad: [],
    badCount: 0,
    isTorn: false,
  }
  const take = createReader(file, items, state)
  for await (const line of readEachLine(file)) {
    state.lines++
    const problem = line.problem ?? (line.isBlank ? undefined : problemOf(() => take(line.value)))
    if (problem !== undefined && !line.isWhole) state.isTorn = true
    else if (problem !== undefined) {
      state.badCount++
      if (state.bad.length < MAX_LISTED) state.bad.push({ line: line.line, problem })
    }
    onLine(line, problem)
  }
  if (state.kind === '') throw noJournal(file)
  const ends = [...items.values()]
  const count = (end: string) => ends.filter((each) => each === end).length
  return { ...state, items: items.size, done: count('done'), failed: count('failed'), open: count('open') }
}

function problemOf(read: () => void): string | undefined {
  try {
    read()
    return undefined
  } catch (error) {
    if (error instanceof UsageError) throw error
    return (error as Error).message
  }
}

function noJournal(file: string): UsageError {
  return new UsageError(
    `${file}: expected a journal, got no header in its first line. That of \`-o FILE\` is FILE.journal`,
  )
}

/** Returns a function that takes the next value, and throws if it is no line of this journal at this place. */
function createReader(file: string, items: Map<string, 'open' | 'done' | 'failed'>, state: JournalState) {
  let [read, depth]: [Reader, number] = [readRunLine, 0]
  return (value: unknown) => {
    if (state.kind === '') {
      const { type, task, plan } = (value ?? {}) as {
        type?: string
        task?: string
        plan?: { layers?: unknown[] }
      }
      if (type !== 'header') throw noJournal(file)
      state.kind = task ?? 'run'
      depth = plan?.layers?.length ?? 0
      if (task === undefined) parseRecord(value)
      else read = readTaskLine
      return
    }
    const { key, role, layer = 0 } = read(value)
    // A judge's layer comes after those of the plan.
    if (layer > depth) throw new Error(`layer ${layer}, but the plan has ${depth}`)
    if (role === 'item') {
      if (!items.has(key)) items.set(key, 'open')
    } else if (!items.has(key))
      throw new Error(`belongs to "${key.slice(0, 60)}", which no line before it names`)
    else if (role !== 'part') items.set(key, role)
    else if (items.get(key) !== 'done') items.set(key, 'open')
  }
}

type Reader = (value: unknown) => { key: string; role: 'item' | 'part' | 'done' | 'failed'; layer?: number }

function readRunLine(value: unknown): ReturnType<Reader> {
  const record = parseRecord(value)
  if (record.type === 'header') throw new Error('a second header')
  if (record.type === 'prompt') return { key: record.id, role: 'item' }
  if (record.type === 'answer') return { key: record.prompt, role: 'error' in record ? 'failed' : 'done' }
  return { key: record.prompt, role: 'part', layer: record.layer }
}

function readTaskLine(value: unknown): ReturnType<Reader> {
  const { type, id } = parseTaskLine(value as object)
  return { key: id, role: type }
}

/** What a repair did. */
export interface Repair extends JournalState {
  /** The file with the bad lines, as they were; absent if there was none. */
  aside?: string
}

/**
 * Moves the bad lines of a journal into `FILE.bad`, so that a run can resume from it. A good journal stays as it is.
 * @throws UsageError if it is in use, or has no header; FileError
 */
export async function repairJournal(file: string): Promise<Repair> {
  const lock = takeLock(`${file}.lock`)
  if (!lock) throw new UsageError(`${file}: is in use by another process: wait for it to end`)
  const aside = `${file}.bad`
  try {
    const found = await checkJournal(file)
    if (found.badCount === 0 && !found.isTorn) return found
    checkReplaceable(aside)
    const [good, bad] = [openLines(`${file}.tmp`), openLines(`${aside}.tmp`)]
    try {
      await checkJournal(file, ({ bytes }, problem) => (problem === undefined ? good : bad).write(bytes))
      bad.close()
      good.close()
    } catch (error) {
      for (const { file: part } of [good, bad]) rmSync(part, { force: true })
      throw error
    }
    renameSync(bad.file, aside)
    renameSync(good.file, file)
    return { ...found, aside }
  } finally {
    lock.release()
  }
}
