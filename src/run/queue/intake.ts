/** Takes the lines that workers sent into the journal: each once, and only those of prompts that have not ended. */
import { describeError } from '../../core/provider/errors.ts'
import type { JournalFile } from '../../lib/journal-file.ts'
import type { Job } from '../../lib/resumable-map.ts'
import type { LineRules } from './sent-work.ts'

/** What the intake stands on; see `SubmitterOptions`. */
export interface IntakeOptions<Line extends object> {
  journal: JournalFile<Line>
  lines: LineRules<Line>
  onStray: (line: Line) => void
  onNote: (note: string) => void
}

/** A prompt whose end is waited for. */
interface OpenPrompt<Line extends object> {
  item: { id: string }
  job: Job<Line>
  resolve: (end: Line) => void
}

/** The intake of a submitter. */
export class Intake<Line extends object> {
  /** The prompts that are asked for, by id. */
  readonly open = new Map<string, OpenPrompt<Line>>()
  readonly #options: IntakeOptions<Line>
  /** The lines of prompts that have not ended, by their identity. */
  readonly #seen = new Map<string, Set<string>>()
  /** Prompts that failed now: late lines of theirs are dropped. */
  readonly #failed = new Set<string>()

  constructor(options: IntakeOptions<Line>) {
    this.#options = options
  }

  /** Waits for the end of a prompt. @throws the signal's reason */
  expect(item: { id: string }, job: Job<Line>): Promise<Line> {
    const { promise, resolve, reject } = Promise.withResolvers<Line>()
    const { id } = item
    this.open.set(id, { item, job, resolve })
    this.#failed.delete(id) // it is tried again: what an earlier run of the queue said of it was taken before
    this.#seen.set(id, this.#identitiesOf(job.recorded))
    const onAbort = () => {
      this.open.delete(id)
      reject(job.signal.reason)
    }
    job.signal.addEventListener('abort', onAbort, { once: true })
    return promise
  }

  /** Takes a line of the stream, and the place where it stood. True if it ends its prompt. */
  take(text: string, at: string): boolean {
    const { journal, onNote } = this.#options
    let line: Line
    try {
      line = journal.format.parse(JSON.parse(text))
    } catch (error) {
      onNote(`a worker sent what is no line of a journal: ${describeError(error).message}`)
      return false
    }
    const id = journal.format.keyOf(line)
    if (!this.#isWanted(id, line)) return false
    const placed = { ...line, at }
    if (journal.format.roleOf(line) !== 'part') {
      this.#close(id, placed)
      return true
    }
    const open = this.open.get(id)
    if (open) open.job.record(placed)
    else this.#keep(placed)
    return false
  }

  /** Ends a prompt whose job failed before its worker could say more. */
  fail(id: string, reason: string | undefined): void {
    const message = `its worker could not finish it: ${(reason ?? 'no reason given').slice(0, 500)}`
    if (this.open.has(id)) this.#close(id, this.#options.lines.endWith(id, { kind: 'internal', message }))
  }

  #close(id: string, end: Line): void {
    const open = this.open.get(id)
    if (this.#options.journal.format.roleOf(end) === 'failed') this.#failed.add(id)
    this.open.delete(id)
    this.#seen.delete(id)
    if (open) open.resolve(end)
    else this.#keep(end)
  }

  /** Writes a line that no part of this run waits for. */
  #keep(line: Line): void {
    this.#options.journal.append(line)
    this.#options.onStray(line)
  }

  /** Whether a line is of a prompt that has not ended, and new. */
  #isWanted(id: string, line: Line): boolean {
    const { journal, lines } = this.#options
    if (journal.isDone(id) || this.#failed.has(id) || !lines.isPossible(line)) return false
    let seen = this.#seen.get(id)
    if (!seen) {
      // A line of a prompt that the journal does not have would spoil it.
      if (!journal.has(id)) return false
      seen = this.#identitiesOf(journal.parts(id))
      this.#seen.set(id, seen)
    }
    const identity = lines.identityOf(line)
    if (seen.has(identity)) return false
    seen.add(identity)
    return true
  }

  #identitiesOf(lines: Line[]): Set<string> {
    return new Set(lines.map((line) => this.#options.lines.identityOf(unplaced(line))))
  }
}

/** A line without its place in the stream. */
export function unplaced<Line extends object>({ at, ...line }: Line & { at?: unknown }): Line {
  return line as Line
}
