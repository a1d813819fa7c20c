/** Records of one length in a file: appended, and read again by their number. */
import { closeSync, fdatasyncSync, ftruncateSync, openSync, readSync } from 'node:fs'
import { writeAll } from './write-whole.ts'

/** An open file of records. */
export interface RecordFile {
  readonly count: number
  /** Appends a copy of a record. */
  append(record: Uint32Array): void
  /** Returns record `index`, from 0, in memory that the next call uses again. */
  read(index: number): Uint32Array
  /** Writes what is still in memory, and has the disk keep it. */
  sync(): void
  close(): void
}

const BUFFER_BYTES = 1 << 20

/**
 * Opens a file for records of `words` words. The first `count` are kept and all else is cut off.
 * @throws the system's error, from each call, if the file cannot be written or read; Error if it has fewer records
 */
export function openRecords(
  file: string,
  { words, count = 0 }: { words: number; count?: number },
): RecordFile {
  const bytes = 4 * words
  const fd = openSync(file, count === 0 ? 'w+' : 'r+')
  ftruncateSync(fd, count * bytes)
  const room = Math.max(1, Math.floor(BUFFER_BYTES / bytes))
  const buffer = new Uint32Array(room * words)
  const scratch = new Uint32Array(words)
  const scratchBytes = Buffer.from(scratch.buffer)
  let [written, waiting] = [count, 0]
  const flush = () => {
    writeAll(fd, Buffer.from(buffer.buffer, 0, waiting * bytes), written * bytes)
    written += waiting
    waiting = 0
  }
  return {
    get count() {
      return written + waiting
    },
    append(record) {
      buffer.set(record, waiting * words)
      if (++waiting === room) flush()
    },
    read(index) {
      if (index >= written) {
        const start = (index - written) * words
        scratch.set(buffer.subarray(start, start + words))
      } else if (readSync(fd, scratchBytes, 0, bytes, index * bytes) !== bytes) {
        throw new Error(`${file} is shorter than it should be`)
      }
      return scratch
    },
    sync() {
      flush()
      fdatasyncSync(fd)
    },
    close: () => closeSync(fd),
  }
}
