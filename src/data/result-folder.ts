/** A folder that appears under its name when it is complete. */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import path from 'node:path'
import { UsageError } from '../core/provider/errors.ts'
import { toFileError } from '../lib/file-error.ts'
import { writeAll } from '../lib/write-whole.ts'

/** A folder that is being written. */
export interface ResultFolder {
  /** Where it is while it is not finished. */
  path: string
  /** Appends a line. @throws FileError */
  write(file: string, value: object): void
  /** Appends a text, then another: text, or UTF-8. @throws FileError */
  append(file: string, text: string, rest: string | Uint8Array): void
  /** Gives it its name. @throws FileError */
  finish(): void
  /** Leaves nothing of it; what had the name before stays. */
  remove(): void
}

const BUFFER_BYTES = 1 << 19

/** A file that is written in large pieces. */
interface Output {
  fd: number
  buffer: Buffer
  used: number
}

/** Checks that a folder may be written. @throws UsageError if `out` holds something and may not be replaced, or is a file */
export function checkOut(out: string, restart = false): void {
  const found = statSync(out, { throwIfNoEntry: false })
  if (found && !found.isDirectory()) throw new UsageError(`${out} is a file; expected the name of a folder`)
  if (!found || readdirSync(out).length === 0) return
  if (!restart) throw new UsageError(`${out} is not empty; give another -o, or --restart`)
  if (!existsSync(path.join(out, 'train.jsonl'))) {
    throw new UsageError(`${out} has no train.jsonl: it is no data set, and is not replaced`)
  }
}

/**
 * Begins a folder with these files beside `out`; what an earlier, interrupted one left is removed.
 * @throws UsageError if `out` holds something and may not be replaced
 */
export function createFolder(
  out: string,
  { restart = false, files: names }: { restart?: boolean; files: string[] },
): ResultFolder {
  checkOut(out, restart)
  const unfinished = `${path.resolve(out)}.unfinished`
  const files = new Map<string, Output>()
  const attempt = <T>(act: () => T): T => {
    try {
      return act()
    } catch (error) {
      throw toFileError(out, error)
    }
  }
  const append = (name: string, part: string | Uint8Array) =>
    attempt(() => {
      const file = files.get(name)
      if (!file) throw new Error(`the folder has no file ${name}`)
      put(file, part)
    })
  const close = () => {
    for (const { fd } of files.values()) closeSync(fd)
    files.clear()
  }
  attempt(() => {
    rmSync(unfinished, { recursive: true, force: true })
    mkdirSync(unfinished, { recursive: true })
    for (const name of names) {
      const file = path.join(unfinished, name)
      mkdirSync(path.dirname(file), { recursive: true })
      files.set(name, { fd: openSync(file, 'w'), buffer: Buffer.allocUnsafeSlow(BUFFER_BYTES), used: 0 })
    }
  })
  return {
    path: unfinished,
    write: (name, value) => append(name, `${JSON.stringify(value)}\n`),
    append(name, text, rest) {
      append(name, text)
      append(name, rest)
    },
    finish: () =>
      attempt(() => {
        for (const file of files.values()) flush(file)
        close()
        rmSync(out, { recursive: true, force: true })
        renameSync(unfinished, out)
      }),
    remove() {
      close()
      rmSync(unfinished, { recursive: true, force: true })
    },
  }
}

function put(file: Output, part: string | Uint8Array): void {
  // a character of a string has 3 bytes at most
  const most = typeof part === 'string' ? 3 * part.length : part.length
  if (most > BUFFER_BYTES - file.used) flush(file)
  if (most > BUFFER_BYTES) writeAll(file.fd, typeof part === 'string' ? Buffer.from(part) : part)
  else if (typeof part === 'string') file.used += file.buffer.write(part, file.used)
  else {
    file.buffer.set(part, file.used)
    file.used += part.length
  }
}

function flush(file: Output): void {
  writeAll(file.fd, file.buffer.subarray(0, file.used))
  file.used = 0
}
