import { type Stats, statSync } from 'node:fs'

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
  EIO: 'the disk reports an error (EIO)',
  EMFILE: 'too many files are open',
  ELOOP: 'is a link that leads in a circle',
  ENAMETOOLONG: 'the name is too long',
}

/** Turns a system error into a FileError in words; returns any other error unchanged. */
export function toFileError(file: string, cause: unknown): unknown {
  const { code, message } = cause as NodeJS.ErrnoException
  if (cause instanceof FileError || code === undefined) return cause
  return new FileError(file, PROBLEMS[code] ?? message, { code, cause })
}

/** What a name leads to. @throws FileError if it cannot be looked at */
export function lookAt(file: string): Stats | undefined {
  try {
    return statSync(file, { throwIfNoEntry: false })
  } catch (error) {
    throw toFileError(file, error)
  }
}

/**
 * Checks that a name that is read has an end: a named pipe waits for a writer, perhaps for ever, and a device never ends.
 * Pipes that the shell has opened (`<(…)`, `/dev/stdin`) have one. A name that leads nowhere is left to its reader.
 * @throws FileError if it is a named pipe, a socket or a device
 */
export function checkReadable(file: string): void {
  const found = /^\/(dev\/(stdin$|fd\/)|proc\/self\/fd\/)/.test(file) ? undefined : lookAt(file)
  if (!found || found.isFile() || found.isDirectory()) return
  throw new FileError(file, 'is a named pipe, a socket or a device; expected a file', { code: 'EINVAL' })
}
