/** A map whose values are kept in a temporary file: memory holds only their offsets. */
import { closeSync, openSync, readSync, rmSync } from 'node:fs'
import type { Span } from './jsonl.ts'
import { writeAll } from './write-whole.ts'

/** Values by key, on disk. */
export interface Spool<Value> {
  /** Replaces an earlier value of the key. */
  put(key: string, value: Value): void
  get(key: string): Value | undefined
  /** Closes and removes the file. */
  close(): void
}

/**
 * Opens an empty spool in `file`; an existing file is overwritten.
 * @throws the system's error, from each call, if the file cannot be written or read
 */
export function createSpool<Value>(file: string): Spool<Value> {
  const fd = openSync(file, 'w+')
  const places = new Map<string, Span>()
  let end = 0
  return {
    put(key, value) {
      const bytes = Buffer.from(JSON.stringify(value))
      writeAll(fd, bytes, end)
      places.set(key, { offset: end, length: bytes.length })
      end += bytes.length
    },
    get(key) {
      const place = places.get(key)
      if (!place) return undefined
      const bytes = Buffer.alloc(place.length)
      readSync(fd, bytes, 0, place.length, place.offset)
      return JSON.parse(bytes.toString('utf8'))
    },
    close() {
      closeSync(fd)
      rmSync(file, { force: true })
    },
  }
}
