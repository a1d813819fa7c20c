/** Appends what readers of the page send to a file of the operator: corrected answers, and ratings. */
import { closeSync, fstatSync, ftruncateSync, openSync, readSync } from 'node:fs'
import { toFileError } from '../../lib/file-error.ts'
import { takeLock } from '../../lib/lock.ts'
import { writeAll } from '../../lib/write-whole.ts'
import { ApiError } from './api-error.ts'

/** One line, and all of them: any client with a key may send some. */
const MAX_LINE_BYTES = 1 << 20
const MAX_FILE_BYTES = 1 << 28

/**
 * Appends a line, or nothing: what was written of it is taken back if the disk is full. The write is synchronous and
 * under a lock, so lines of several clients and servers do not mix.
 * @throws ApiError 413 for a large line, 507 for a full file, 503 if another server is writing; FileError
 */
export function appendLine(file: string, line: string): void {
  if (Buffer.byteLength(line) > MAX_LINE_BYTES)
    throw new ApiError(413, `expected at most ${MAX_LINE_BYTES} bytes`, { code: 'too_large' })
  const lock = takeLock(`${file}.lock`)
  if (!lock) throw new ApiError(503, 'another server is writing this file: try again', { code: 'busy' })
  let fd: number | undefined
  try {
    fd = openSync(file, 'a+')
    const { size } = fstatSync(fd)
    if (size > MAX_FILE_BYTES)
      throw new ApiError(507, `the file is full: ${MAX_FILE_BYTES} bytes`, { code: 'full' })
    writeOrUndo(fd, endsWithBreak(fd, size) ? line : `\n${line}`, size)
  } catch (error) {
    throw error instanceof ApiError ? error : toFileError(file, error)
  } finally {
    if (fd !== undefined) closeSync(fd)
    lock.release()
  }
}

function writeOrUndo(fd: number, text: string, size: number): void {
  try {
    writeAll(fd, text)
  } catch (error) {
    try {
      ftruncateSync(fd, size)
    } catch {} // a device has no length; the cause is the failed write
    throw error
  }
}

/** Whether a file is empty or ends with a line break; a line that lacks it was cut, or edited by hand. */
function endsWithBreak(fd: number, size: number): boolean {
  if (size === 0) return true
  const last = Buffer.alloc(1)
  readSync(fd, last, 0, 1, size - 1)
  return last[0] === 0x0a
}
