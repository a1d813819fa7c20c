/** Writes all of some bytes, or files atomically. */
import { readlinkSync, renameSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { survivesCuts, syncName } from './durable.ts'
import { FileError, lookAt, toFileError } from './file-error.ts'
import { makeFolder } from './make-folder.ts'

/**
 * Writes a temporary file and renames it: readers see the old file or the whole new one, never a part. Makes its folder.
 * @throws FileError if it cannot be written
 */
export function writeWhole(named: string, text: string): void {
  checkReplaceable(named)
  const file = behindLinks(named)
  makeFolder(dirname(file))
  const temporary = `${file}.tmp`
  try {
    writeFileSync(temporary, text, { flush: survivesCuts() })
    renameSync(temporary, file)
    syncName(file)
  } catch (error) {
    const isOurs = statSync(temporary, { throwIfNoEntry: false })?.isFile()
    if (isOurs) rmSync(temporary, { force: true })
    throw toFileError(file, error)
  }
}

/**
 * Checks that a name is free, or that of a file. A rename would replace a device (`/dev/null`) by a file.
 * @throws FileError if it is a folder, a device or a pipe
 */
export function checkReplaceable(file: string): void {
  if (file === '-')
    throw new FileError(file, 'is not standard output here; give the name of a file', { code: 'EINVAL' })
  if (file === '') throw new FileError('""', 'expected the name of a file', { code: 'EINVAL' })
  const found = lookAt(file)
  if (!found || found.isFile()) return
  const kind = found.isDirectory() ? 'a folder' : 'a device or a pipe'
  throw new FileError(file, `is ${kind}; expected a file`, {
    code: found.isDirectory() ? 'EISDIR' : 'EINVAL',
  })
}

/** The file that a name means: of a symbolic link its target, also one that is not there yet. A rename would replace the link. */
export function behindLinks(file: string): string {
  let path = file
  for (let i = 0; i < MAX_LINKS; i++) {
    try {
      path = resolve(dirname(path), readlinkSync(path))
    } catch {
      return path // no link, or nothing
    }
  }
  return path
}

const MAX_LINKS = 40

/**
 * Writes all of a text or of bytes to the open file `fd`: at its end, or from byte `position`. The system may write less
 * than it is given.
 */
export function writeAll(fd: number, content: string | Uint8Array, position?: number): void {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  for (let done = 0; done < bytes.length; ) {
    const at = position === undefined ? undefined : position + done
    done += writeSync(fd, bytes, done, bytes.length - done, at)
  }
}
