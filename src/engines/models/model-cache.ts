/** The folder of model files: turns disk errors there into advice. */
import { UsageError } from '../../core/provider/errors.ts'
import type { Timeouts } from '../../lib/download.ts'
import { FileError } from '../../lib/file-error.ts'
import { type SaveOptions, withWorkFolder } from '../../lib/verified-file.ts'

/** How a model is downloaded. */
export interface PullOptions extends Omit<SaveOptions, 'label'>, Timeouts {
  env?: NodeJS.ProcessEnv
}

/**
 * `withWorkFolder` for models.
 * @throws UsageError if the disk is full or the folder is not writable
 */
export async function withModelFolder<T>(folder: string, work: (path: string) => Promise<T>): Promise<T> {
  try {
    return await withWorkFolder(folder, work)
  } catch (error) {
    throw explainDiskError(error, folder)
  }
}

function explainDiskError(error: unknown, folder: string): unknown {
  const { code } = error as NodeJS.ErrnoException
  const elsewhere = 'or set AFT_CACHE_DIR to a writable folder with enough space'
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new UsageError(`the disk of ${folder} is full: free some space, ${elsewhere}`, { cause: error })
  }
  const isLocked = code !== undefined && ['EACCES', 'EROFS', 'EPERM', 'ENOTDIR', 'EEXIST'].includes(code)
  if (isLocked || error instanceof FileError) {
    return new UsageError(`cannot write ${folder} (${code}): make it writable, ${elsewhere}`, {
      cause: error,
    })
  }
  return error
}
