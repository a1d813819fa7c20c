/**
 * A journal: an append-only file of JSON lines that one process uses at a time. The first line is the header; every
 * other line belongs to an item, named by its key: the item itself, a part of its work, or its end. Memory holds only
 * the positions of the lines.
 */
import { hash } from 'node:crypto'
import { closeSync, fstatSync, ftruncateSync, openSync, readSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { syncName } from './durable.ts'
import { FileError, toFileError } from './file-error.ts'
import { createLineWriter, type LineWriter, readJsonl, type Span } from './jsonl.ts'
import { type Lock, takeLock } from './lock.ts'
import { makeFolder } from './make-folder.ts'
import { checkReplaceable } from './write-whole.ts'

/** `done` and `failed` end an item; after `failed` its parts no longer count, and it may be tried again. */
export type Role = 'item' | 'part' | 'done' | 'failed'

/** What the lines of a journal mean. */
export interface JournalFormat<Line extends object> {
  /** The header of a new journal. */
  header: object
  /** Throws if a journal with this header cannot be resumed. */
  checkHeader(header: object): void
  /** Reads a line; its error's message says what is wrong. */
  parse(value: object): Line
  keyOf(line: Line): string
  roleOf(line: Line): Role
  /** Called with every line that the file already holds, in order. */
  onLine?(line: Line): void
}

/** Where an item is in the file. A run has very many entries, so they are flat, and `parts` is dropped at the item's end. */
interface Entry {
  /** 48 bits. */
  itemHash: number
  itemOffset: number
  itemLength: number
  endOffset: number
  /** 0 if it has not ended. */
  endLength: number
  isDone: boolean
  parts?: Span[]
}

/** An open journal. A class because it must be closed. */
export class JournalFile<Line extends object> {
  readonly file: string
  readonly format: JournalFormat<Line>
  readonly #entries = new Map<string, Entry>()
  readonly #broken = new AbortController()
  #fd: number
  #lock: Lock
  #writer: LineWriter | undefined

  /** Use `openJournal`. */
  constructor(file: string, format: JournalFormat<Line>, restart: boolean) {
    this.file = file
    this.format = format
    ;[this.#fd, this.#lock] = claim(file, restart)
  }

  /** Aborts with the error if a line cannot be written; nothing is written after it. */
  get broken(): AbortSignal {
    return this.#broken.signal
  }

  /** Reads the file, removes a torn last line, and gets ready to append. */
  async load(): Promise<void> {
    let end = 0
    for await (const { value, line, offset, length } of readJsonl(this.file, { tornTail: 'skip' })) {
      this.#readLine(value, line, { offset, length })
      end = offset + length
    }
    if (end === 0) this.#refuseForeign()
    this.#mendTail(end)
    const offset = fstatSync(this.#fd).size
    const onError = (error: unknown) => this.#broken.abort(error)
    this.#writer = createLineWriter(this.#fd, { file: this.file, offset, onError })
    if (offset === 0) this.#writer.append(this.format.header)
    this.#writer.flush()
    if (offset === 0) syncName(this.file)
  }

  #readLine(value: unknown, line: number, span: Span): void {
    if (typeof value !== 'object' || value === null) throw this.#wrong(line, 'expected an object')
    if (span.offset === 0) {
      this.format.checkHeader(value)
      return
    }
    let parsed: Line
    try {
      parsed = this.format.parse(value)
    } catch (cause) {
      throw this.#wrong(line, (cause as Error).message)
    }
    if (!this.#index(parsed, span)) throw this.#wrong(line, 'belongs to an item that no line before it names')
    this.format.onLine?.(parsed)
  }

  #wrong(line: number, problem: string): FileError {
    return new FileError(this.file, `${problem}. Is this a journal, and is it whole?`, { line })
  }

  /** A file without a whole line is emptied only if it starts as a journal does. */
  #refuseForeign(): void {
    const { size } = fstatSync(this.#fd)
    const start = JSON.stringify(this.format.header).slice(0, 16)
    const found = this.#readBytes({ offset: 0, length: Math.min(size, start.length) }).toString('latin1')
    if (!start.startsWith(found)) throw this.#wrong(1, 'expected the header of a journal')
  }

  /** Adds the line break if the last line lacks only that; removes any other incomplete line. */
  #mendTail(end: number): void {
    const { size } = fstatSync(this.#fd)
    try {
      if (end < size) ftruncateSync(this.#fd, end)
      if (end > 0 && this.#readBytes({ offset: end - 1, length: 1 })[0] !== 0x0a) writeSync(this.#fd, '\n')
    } catch (error) {
      throw toFileError(this.file, error)
    }
  }

  /** Stores the position of a line. False if its item is unknown. */
  #index(line: Line, span: Span): boolean {
    const key = this.format.keyOf(line)
    const role = this.format.roleOf(line)
    if (role === 'item') {
      const { offset: itemOffset, length: itemLength } = span
      const open = { endOffset: 0, endLength: 0, isDone: false, parts: undefined }
      this.#entries.set(key, { itemHash: hashOf(line), itemOffset, itemLength, ...open })
      return true
    }
    const entry = this.#entries.get(key)
    if (!entry) return false
    if (role === 'part') {
      entry.parts ??= []
      entry.parts.push(span)
    } else {
      entry.parts = undefined
      entry.endOffset = span.offset
      entry.endLength = span.length
      entry.isDone = role === 'done'
    }
    return true
  }

  /** Whether the journal has the item with this line's key, and with the same content. */
  compare(item: Line): 'new' | 'same' | 'changed' {
    const entry = this.#entries.get(this.format.keyOf(item))
    if (!entry) return 'new'
    return entry.itemHash === hashOf(item) ? 'same' : 'changed'
  }

  /** Whether it has the item. */
  has(key: string): boolean {
    return this.#entries.has(key)
  }

  /** Whether the item is done. */
  isDone(key: string): boolean {
    return this.#entries.get(key)?.isDone ?? false
  }

  /** The parts of an item that has not ended. */
  parts(key: string): Line[] {
    const parts = this.#entries.get(key)?.parts ?? []
    if (parts.length > 0) this.flush()
    return parts.map((span) => this.#readSpan(span))
  }

  /** The item's own line and the line that ended it last. */
  ends(key: string): { item: Line; end: Line } | undefined {
    const entry = this.#entries.get(key)
    if (!entry?.endLength) return undefined
    this.flush()
    const { itemOffset, itemLength, endOffset, endLength } = entry
    return {
      item: this.#readSpan({ offset: itemOffset, length: itemLength }),
      end: this.#readSpan({ offset: endOffset, length: endLength }),
    }
  }

  /**
   * Appends a line. A part of an item's work is paid for: it has left this process when the call returns. Other lines are
   * written at the end of this turn of the event loop, or with the next part.
   */
  append(line: Line): void {
    if (!this.#writer) throw new Error('the journal was not loaded')
    this.#index(line, this.#writer.append(line))
    if (this.format.roleOf(line) === 'part') this.#writer.write()
  }

  /** Writes what is queued. @throws FileError if a write failed */
  flush(): void {
    this.#writer?.flush()
  }

  /** Closes the file and releases its lock in any case. @throws FileError if a write failed */
  close(): void {
    if (this.#fd < 0) return
    try {
      this.flush()
    } finally {
      closeSync(this.#fd)
      this.#fd = -1
      this.#lock.release()
    }
  }

  #readSpan(span: Span): Line {
    return this.format.parse(JSON.parse(this.#readBytes(span).toString('utf8')))
  }

  #readBytes({ offset, length }: Span): Buffer {
    const bytes = Buffer.alloc(length)
    let done = 0
    while (done < length) {
      const count = readSync(this.#fd, bytes, done, length - done, offset + done)
      if (count === 0) throw new FileError(this.file, 'became shorter while it was in use')
      done += count
    }
    return bytes
  }
}

/**
 * Opens a journal, or creates one, with its folder.
 * @param options `restart`: renames the present file to `FILE.old` and starts a new journal
 * @throws FileError if it is not writable, if another process uses it (code `LOCKED`), or if a line does not belong in a
 * journal; and what `checkHeader` throws
 */
export async function openJournal<Line extends object>(
  file: string,
  format: JournalFormat<Line>,
  { restart = false } = {},
): Promise<JournalFile<Line>> {
  const journal = await claimPatiently(() => new JournalFile(file, format, restart))
  try {
    await journal.load()
    return journal
  } catch (error) {
    journal.close()
    throw error
  }
}

/** Waits up to half a second for the lock: a killed process needs a moment to release its files. */
async function claimPatiently<T>(open: () => T): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return open()
    } catch (error) {
      if (!(error instanceof FileError && error.code === 'LOCKED') || tries === 10) throw error
      await delay(50)
    }
  }
}

function claim(file: string, restart: boolean): [fd: number, lock: Lock] {
  let lock: Lock | undefined
  checkReplaceable(file) // to open a pipe waits for its other end, and a device may never end
  try {
    makeFolder(dirname(file))
    const fd = openSync(file, 'a+')
    lock = takeLock(`${file}.lock`)
    if (lock) return [restart ? replace(fd, file) : fd, lock]
    closeSync(fd)
  } catch (error) {
    lock?.release()
    throw toFileError(file, error)
  }
  throw new FileError(file, 'is in use by another process', { code: 'LOCKED' })
}

function replace(fd: number, file: string): number {
  const { size } = fstatSync(fd)
  closeSync(fd)
  if (size > 0) renameSync(file, `${file}.old`)
  return openSync(file, 'a+')
}

function hashOf(line: object): number {
  return Number.parseInt(hash('sha1', JSON.stringify(line)).slice(0, 12), 16)
}
