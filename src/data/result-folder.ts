/** Writes a folder that gets its final name only when it is complete. */
import { closeSync, existsSync, openSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'
import { UsageError } from '../core/provider/errors.ts'
import { toFileError } from '../lib/file-error.ts'
import { makeFolder } from '../lib/make-folder.ts'
import { writeAll } from '../lib/write-whole.ts'

/** A folder that is still being written. */
export interface ResultFolder {
  /** Its path until it is finished. */
  path: string
  /** Appends a JSON line. @throws FileError */
  write(file: string, value: object): void
  /** Appends two pieces; the second is text or UTF-8 bytes. @throws FileError */
  append(file: string, text: string, rest: string | Uint8Array): void
  /** Renames it to its final name. @throws FileError */
  finish(): void
  /** Deletes the unfinished folder. An older folder with the final name stays. */
  remove(): void
}

const BUFFER_BYTES = 1 << 19

/** A file that is written in large pieces, through a buffer. */
interface Output {
  fd: number
  buffer: Buffer
  used: number
}

/**
 * Checks that a folder may be written.
 * @throws UsageError if `out` is a file, or is not empty and must not be replaced
 */
export function checkOut(out: string, restart = false): void {
  const found = statSync(out, { throwIfNoEntry: false })
  if (found && !found.isDirectory()) throw new UsageError(`${out} is a file; expected the name of a folder`)
  if (!found || readdirSync(out).length === 0) return
  if (!restart) throw new UsageError(`${out} is not empty; give another -o, or --restart`)
  if (!existsSync(path.join(out, 'train.jsonl'))) {
    throw new UsageError(
      `${out} has no train.jsonl, so it is not a data set and is not replaced; give another -o`,
    )
  }
}

/**
 * Begins an unfinished folder with these files, next to `out`. It deletes the leftovers of an interrupted run.
 * @throws UsageError if `out` is a file, or is not empty and must not be replaced
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
    makeFolder(unfinished)
    for (const name of names) {
      const file = path.join(unfinished, name)
      makeFolder(path.dirname(file))
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
  // a UTF-16 code unit has at most 3 bytes in UTF-8
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
