/**
 * Does the same work for many items, several at a time, and keeps every result in a journal: an interrupted map resumes
 * where it was.
 */
import type { JournalFile } from './journal-file.ts'

/** What the work on one item gets. */
export interface Job<Line extends object> {
  key: string
  /** Position in the order of start, from 0. */
  position: number
  /** Lines that an interrupted run recorded for this item, oldest first. */
  recorded: Line[]
  /** Records a line of this item: a resumed map does not do it again. */
  record(line: Line): void
  signal: AbortSignal
}

/** What the map does, and where it keeps it. */
export interface MapOptions<Item, Line extends object> {
  journal: JournalFile<Line>
  /** The item as its line in the journal. */
  lineOf(item: Item): Line
  /** Does the work and returns the line that ends the item. An error ends the whole map. */
  work(item: Item, job: Job<Line>): Promise<Line>
  /** The number of items worked on at the same time, from 1. A function may return another one at each call. */
  active: number | (() => number)
  /** Called before an item starts, and again when another has ended. If it is false while no item is running, the map ends. */
  mayStart?(item: Item): boolean
  signal?: AbortSignal
}

/** `done`: every item has its end in the journal; `interrupted` by the signal; `held` by `mayStart`. */
export type MapOutcome = 'done' | 'interrupted' | 'held'

/**
 * Starts items in order. Items that the journal holds as done are skipped; failed and interrupted ones are worked on
 * again. Returns when no item is running and everything is written.
 * @throws the first error of `work` or of writing a line; the other items are aborted
 */
export async function mapResumably<Item, Line extends object>(
  items: Iterable<Item> | AsyncIterable<Item>,
  { journal, lineOf, work, active, mayStart = () => true, signal }: MapOptions<Item, Line>,
): Promise<MapOutcome> {
  const failure = new AbortController()
  const stop = AbortSignal.any([failure.signal, journal.broken, ...(signal ? [signal] : [])])
  const most = typeof active === 'function' ? active : () => active
  // A signal for each item: to add a listener costs as much as there are listeners, and each item adds several.
  const started = new Set<AbortController>()
  const stopAll = () => {
    for (const item of started) item.abort(stop.reason)
  }
  stop.addEventListener('abort', stopAll, { once: true })
  let [running, position, outcome] = [0, 0, 'done' as MapOutcome]
  let wake = () => {}
  const nextEnd = () => new Promise<void>((resolve) => (wake = resolve))

  const finish = async (item: Item, job: Job<Line>, own: AbortController) => {
    try {
      job.record(await work(item, job))
    } catch (error) {
      if (!stop.aborted) failure.abort(error)
      outcome = 'interrupted'
    }
    started.delete(own)
    running--
    wake()
  }
  const start = (item: Item, line: Line, key: string, position: number) => {
    const recorded = journal.parts(key)
    if (journal.compare(line) === 'new') journal.append(line)
    running++
    const own = new AbortController()
    started.add(own)
    const record = (line: Line) => journal.append(line)
    void finish(item, { key, position, recorded, record, signal: own.signal }, own)
  }

  try {
    for await (const item of items) {
      const line = lineOf(item)
      const key = journal.format.keyOf(line)
      if (journal.isDone(key)) continue
      while (!stop.aborted && running > 0 && (running >= most() || !mayStart(item))) await nextEnd()
      if (stop.aborted) outcome = 'interrupted'
      else if (running === 0 && !mayStart(item)) outcome = 'held'
      if (outcome !== 'done') break
      if (journal.isDone(key)) continue // work that runs elsewhere may have ended it while it waited
      start(item, line, key, position++)
    }
  } catch (error) {
    failure.abort(error)
  }
  while (running > 0) await nextEnd()
  failure.signal.throwIfAborted()
  journal.flush()
  return outcome
}
