/** JSON lines: read as a stream in flat memory, and appended as whole lines. */
import { isUtf8 } from 'node:buffer'
import {
  closeSync,
  createReadStream,
  createWriteStream,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { survivesCuts, syncFile, syncName } from './durable.ts'
import { jsonReason } from './explain-json.ts'
import { checkReadable, FileError, toFileError } from './file-error.ts'
import { behindLinks, checkReplaceable, writeAll } from './write-whole.ts'

/** The position of a line in its file, in bytes; `length` includes the line break. */
export interface Span {
  offset: number
  length: number
}

/** A parsed line. */
export interface JsonLine extends Span {
  value: unknown
  /** From 1, blank lines counted. */
  line: number
}

const NEWLINE = 0x0a
const CHUNK_BYTES = 1 << 18
/** More is no row of anything, and what it takes is several times as much. */
export const MAX_LINE_BYTES = 1 << 28
/** What an error says of such a line or element. */
export const TOO_LONG = `expected values of at most ${MAX_LINE_BYTES >> 20} MB each, got a longer line or element`

/**
 * Yields the value of each line that is not blank. A byte order mark, CRLF and a last line without a line break
 * are accepted.
 * @param tornTail what to do if the last line has no line break and is not JSON: a writer was interrupted
 * @param exact fields whose numbers are kept as text where a number would be rounded
 * @throws FileError with the line that is not JSON or not UTF-8, or if the file cannot be read
 */
export async function* readJsonl(
  file: string,
  { tornTail = 'refuse', exact }: { tornTail?: 'refuse' | 'skip'; exact?: string[] } = {},
): AsyncGenerator<JsonLine> {
  let line = 0
  for await (const { bytes, offset, isWhole } of readLines(file)) {
    line++
    const parsed = parseLine(offset === 0 ? withoutMark(bytes) : bytes, exact)
    if ('value' in parsed) yield { value: parsed.value, line, offset, length: bytes.length }
    else if (parsed.problem && (isWhole || tornTail === 'refuse')) {
      throw new FileError(file, isWhole ? parsed.problem : `${parsed.problem} (is the last line cut?)`, {
        line,
      })
    }
  }
}

/** A line of a file that may be damaged. */
export interface EachLine {
  /** With its line break. */
  bytes: Buffer
  /** From 1. */
  line: number
  /** False for a last line without a line break. */
  isWhole: boolean
  isBlank: boolean
  value?: unknown
  /** Why it has no value. */
  problem?: string
}

/**
 * Yields every line, also those that are no JSON.
 * @throws FileError if the file cannot be read
 */
export async function* readEachLine(file: string): AsyncGenerator<EachLine> {
  let line = 0
  for await (const { bytes, offset, isWhole } of readLines(file)) {
    line++
    const parsed = parseLine(offset === 0 ? withoutMark(bytes) : bytes)
    const isBlank = !('value' in parsed) && parsed.problem === undefined
    yield { ...parsed, bytes, line, isWhole, isBlank }
  }
}

/** Opens a new file for lines that are written as they are. */
export function openLines(file: string): { file: string; write(bytes: Uint8Array): void; close(): void } {
  const attempt = <T>(act: () => T): T => {
    try {
      return act()
    } catch (error) {
      throw toFileError(file, error)
    }
  }
  const fd = attempt(() => openSync(file, 'w'))
  return {
    file,
    write: (bytes) => attempt(() => writeAll(fd, bytes)),
    close: () =>
      attempt(() => {
        fsyncSync(fd)
        closeSync(fd)
      }),
  }
}

type RawLine = { bytes: Buffer; offset: number; isWhole: boolean }

/** Lines with their line breaks; `isWhole` is false for a last line without one. */
async function* readLines(file: string): AsyncGenerator<RawLine> {
  let pieces: Buffer[] = []
  let [offset, pending, line] = [0, 0, 1]
  checkReadable(file)
  try {
    for await (const chunk of createReadStream(file, { highWaterMark: CHUNK_BYTES })) {
      let start = 0
      for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
        const tail = chunk.subarray(start, end + 1)
        const bytes = pieces.length === 0 ? tail : Buffer.concat([...pieces, tail])
        yield { bytes, offset, isWhole: true }
        offset += bytes.length
        start = end + 1
        line++
        ;[pieces, pending] = [[], 0]
      }
      pieces.push(chunk.subarray(start))
      pending += chunk.length - start
      if (pending > MAX_LINE_BYTES) throw new FileError(file, TOO_LONG, { line })
    }
  } catch (error) {
    throw toFileError(file, error)
  }
  if (pending > 0) yield { bytes: Buffer.concat(pieces), offset, isWhole: false }
}

function withoutMark(bytes: Buffer): Buffer {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes
}

/** Neither value nor problem for a blank line. */
function parseLine(bytes: Buffer, exact?: string[]): { value: unknown } | { problem?: string } {
  if (!isUtf8(bytes)) return { problem: 'expected UTF-8, got other bytes' }
  const text = bytes.toString('utf8')
  try {
    return { value: exact ? parseExact(text, exact) : JSON.parse(text) }
  } catch (error) {
    if (text.trim() === '') return {}
    return { problem: `expected one JSON value, got ${excerpt(text)} (${jsonReason(error)})` }
  }
}

/** Parses JSON. A number of one of these fields that would be rounded, as ids of 64 bits are, becomes the text of its digits. */
export function parseExact(text: string, fields: string[]): unknown {
  const parsed = JSON.parse(text)
  if (!hasRounded(parsed, fields)) return parsed
  return JSON.parse(text, (key: string, value: unknown, context?: { source?: string }) => {
    return isRounded(value) && fields.includes(key) && context?.source ? context.source : value
  })
}

const isRounded = (value: unknown) => Number.isInteger(value) && !Number.isSafeInteger(value)

/** Looking through the values is much faster than a reviver. */
function hasRounded(value: unknown, fields: string[]): boolean {
  if (typeof value !== 'object' || value === null) return false
  return Object.keys(value).some((key) => {
    const inner = (value as Record<string, unknown>)[key]
    return typeof inner === 'number' ? isRounded(inner) && fields.includes(key) : hasRounded(inner, fields)
  })
}

function excerpt(text: string): string {
  const start = text.trim().slice(0, 60)
  return JSON.stringify(start.length < text.trim().length ? `${start}…` : start)
}

/** Appends values as lines. All lines of one turn of the event loop are one write. */
export interface LineWriter {
  /** Returns the position of the line. After a failed write nothing is appended. */
  append(value: unknown): Span
  /** Writes what is queued. An error is the one that `onError` gets. */
  write(): void
  /** Writes what is queued. @throws FileError when this or an earlier write failed */
  flush(): void
}

/**
 * A writer to the open file `fd`, whose size is `offset`. Writes are synchronous: what one turn appended has left the
 * process before the next turn begins, so it survives a crash.
 * @param onError called once, when a write fails (such as on a full disk); nothing is written after it
 */
export function createLineWriter(
  fd: number,
  { file, offset, onError }: { file: string; offset: number; onError: (error: unknown) => void },
): LineWriter {
  let lines: string[] = []
  let failure: unknown
  const write = () => {
    if (lines.length === 0 || failure !== undefined) return
    const text = lines.join('')
    lines = []
    try {
      writeAll(fd, text)
      syncFile(fd)
    } catch (error) {
      failure = toFileError(file, error)
      onError(failure)
    }
  }
  return {
    append(value) {
      const line = `${JSON.stringify(value)}\n`
      const span = { offset, length: Buffer.byteLength(line) }
      if (failure !== undefined) return span
      if (lines.push(line) === 1) setImmediate(write)
      offset += span.length
      return span
    },
    write,
    flush() {
      write()
      if (failure !== undefined) throw failure
    },
  }
}

/**
 * Writes values as lines while they come, under a temporary name that is renamed at the end.
 * @throws FileError if it cannot be written; an existing file then stays unchanged
 */
export async function writeJsonl(named: string, values: AsyncIterable<unknown>): Promise<void> {
  const file = behindLinks(named)
  const temporary = `${file}.tmp`
  async function* lines() {
    for await (const value of values) yield `${JSON.stringify(value)}\n`
  }
  checkReplaceable(named)
  try {
    await pipeline(lines, createWriteStream(temporary, { flush: survivesCuts() }))
    renameSync(temporary, file)
    syncName(file)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw toFileError(file, error)
  }
}
