/** Writes all of some bytes, or files atomically. */
import { renameSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { FileError, toFileError } from './file-error.ts'
import { makeFolder } from './make-folder.ts'

/**
 * Writes a temporary file and renames it: readers see the old file or the whole new one, never a part. Makes its folder.
 * @throws FileError if it cannot be written
 */
export function writeWhole(file: string, text: string): void {
  checkReplaceable(file)
  makeFolder(dirname(file))
  try {
    writeFileSync(`${file}.tmp`, text)
    renameSync(`${file}.tmp`, file)
  } catch (error) {
    throw toFileError(file, error)
  }
}

/**
 * Checks that a name is free, or that of a file. A rename would replace a device (`/dev/null`) by a file.
 * @throws FileError if it is a folder, a device or a pipe
 */
export function checkReplaceable(file: string): void {
  const found = statSync(file, { throwIfNoEntry: false })
  if (!found || found.isFile()) return
  const kind = found.isDirectory() ? 'a folder' : 'a device or a pipe'
  throw new FileError(file, `is ${kind}; expected a file`, {
    code: found.isDirectory() ? 'EISDIR' : 'EINVAL',
  })
}

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
