/** Turns errors of files into errors for the caller. */
import { DataError, redact, UsageError } from '../core/provider/errors.ts'
import { FileError } from '../lib/file-error.ts'

const FULL = ['ENOSPC', 'EDQUOT', 'EFBIG', 'EIO']
/** The machine fails, not the caller. */
const BROKEN = ['EIO', 'EMFILE', 'ENFILE', 'ESTALE', 'ETIMEDOUT']

/**
 * Turns a FileError into the caller's error: a DataError with the line for wrong content or a full disk, a UsageError
 * for a file that cannot be opened. Other errors are returned unchanged.
 * @param kept says what remains of the work when the disk is full
 */
export function toCallersError(error: unknown, kept = 'What was finished before is kept'): unknown {
  if (!(error instanceof FileError)) return error
  const { file, line, problem, code } = error
  if (code === undefined) return new DataError(file, line, problem)
  if (code === 'LOCKED') {
    return new UsageError(`${error.message}: wait for it to end, or give another -o`, { cause: error })
  }
  if (BROKEN.includes(code)) return new DataError(file, line, `${problem}. ${kept}: run it again`)
  if (!FULL.includes(code)) return new UsageError(error.message, { cause: error })
  return new DataError(file, line, `${problem}. ${kept}: make room, then run it again`)
}

/** Says what was expected and the first 80 characters of what came. */
export function describeWrong(expected: string, got: unknown): string {
  const text = JSON.stringify(got, (_, value) => (typeof value === 'bigint' ? String(value) : value))
  return `expected ${expected}, got ${redact(text ?? 'nothing').slice(0, 80)}`
}
