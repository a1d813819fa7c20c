import { DataError, UsageError } from '../core/provider/errors.ts'
import { FileError } from '../lib/file-error.ts'

const FULL = ['ENOSPC', 'EDQUOT', 'EFBIG', 'EIO']

/**
 * A file's error as the caller's: wrong content is a DataError with the line, and so is a disk that filled up;
 * a file that cannot be opened is a UsageError. Other errors stay as they are.
 * @param kept what there is of the work after a disk filled up
 */
export function toCallersError(error: unknown, kept = 'What was finished before is kept'): unknown {
  if (!(error instanceof FileError)) return error
  const { file, line, problem, code } = error
  if (code === undefined) return new DataError(file, line, problem)
  if (code === 'LOCKED') {
    return new UsageError(`${error.message}: let that end, or give another -o`, { cause: error })
  }
  if (!FULL.includes(code)) return new UsageError(error.message, { cause: error })
  return new DataError(file, line, `${problem}. ${kept}: make room, then run it again`)
}

/** What was expected and what came instead, in words; what came is cut. */
export function describeWrong(expected: string, got: unknown): string {
  const text = JSON.stringify(got, (_, value) => (typeof value === 'bigint' ? String(value) : value))
  return `expected ${expected}, got ${(text ?? 'nothing').slice(0, 80)}`
}
