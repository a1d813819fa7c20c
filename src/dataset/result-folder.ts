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
  writeSync,
} from 'node:fs'
import path from 'node:path'
import { UsageError } from '../core/errors.ts'
import { toFileError } from '../lib/file-error.ts'

export interface ResultFolder {
  /** Where it is while it is not finished. */
  path: string
  /** Appends a line. @throws FileError */
  write(file: string, value: object): void
  /** Gives it its name. @throws FileError */
  finish(): void
  /** Leaves nothing of it; what had the name before stays. */
  remove(): void
}

const FLUSH_CHARS = 1 << 18

/** @throws UsageError where `out` holds something and may not be overwritten, or is a file */
export function checkOut(out: string, overwrite = false): void {
  const found = statSync(out, { throwIfNoEntry: false })
  if (found && !found.isDirectory()) throw new UsageError(`${out} is a file; expected a folder that is to be`)
  if (!found || readdirSync(out).length === 0) return
  if (!overwrite) throw new UsageError(`${out} is not empty; give another -o, or --overwrite`)
  if (!existsSync(path.join(out, 'train.jsonl'))) {
    throw new UsageError(`${out} has no train.jsonl: it is no data set, and is not overwritten`)
  }
}

/**
 * Begins a folder with these files beside `out`; what an earlier, interrupted one left is removed.
 * @throws UsageError where `out` holds something and may not be overwritten
 */
export function createFolder(
  out: string,
  { overwrite = false, files: names }: { overwrite?: boolean; files: string[] },
): ResultFolder {
  checkOut(out, overwrite)
  const unfinished = `${path.resolve(out)}.unfinished`
  const files = new Map<string, { fd: number; waiting: string }>()
  const attempt = <T>(act: () => T): T => {
    try {
      return act()
    } catch (error) {
      throw toFileError(out, error)
    }
  }
  const flush = (file: { fd: number; waiting: string }) => {
    const bytes = Buffer.from(file.waiting)
    file.waiting = ''
    for (let done = 0; done < bytes.length; ) done += writeSync(file.fd, bytes, done)
  }
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
      files.set(name, { fd: openSync(file, 'w'), waiting: '' })
    }
  })
  return {
    path: unfinished,
    write: (name, value) =>
      attempt(() => {
        const file = files.get(name)
        if (!file) throw new Error(`the folder has no file ${name}`)
        file.waiting += `${JSON.stringify(value)}\n`
        if (file.waiting.length >= FLUSH_CHARS) flush(file)
      }),
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
