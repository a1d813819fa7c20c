/** A file cannot be read or written, or its content is wrong. The message starts with `FILE:LINE:`. */
export class FileError extends Error {
  override name = 'FileError'
  readonly file: string
  /** From 1; absent if the error is about the whole file. */
  readonly line?: number
  readonly problem: string
  /** The system's code (`ENOSPC`), or `LOCKED`. Absent if the content is wrong. */
  readonly code?: string

  constructor(file: string, problem: string, more: { line?: number; code?: string; cause?: unknown } = {}) {
    const place = more.line === undefined ? file : `${file}:${more.line}`
    super(`${place}: ${problem}`, more.cause === undefined ? undefined : { cause: more.cause })
    this.file = file
    this.line = more.line
    this.problem = problem
    this.code = more.code
  }
}

const PROBLEMS: Record<string, string> = {
  ENOENT: 'there is no such file or folder',
  EISDIR: 'is a folder; expected a file',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EEXIST: 'a part of the path is a file, not a folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'is on a read-only file system',
  ENOSPC: 'no space is left on the disk',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file would be larger than the system allows',
  EMFILE: 'too many files are open',
}

/** Turns a system error into a FileError in words; returns any other error unchanged. */
export function toFileError(file: string, cause: unknown): unknown {
  const { code, message } = cause as NodeJS.ErrnoException
  if (cause instanceof FileError || code === undefined) return cause
  return new FileError(file, PROBLEMS[code] ?? message, { code, cause })
}
