/** Makes folders. Node's own recursive `mkdir` never ends on some virtual file systems (`/proc`). */
import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { FileError, toFileError } from './file-error.ts'

/**
 * Makes a folder, and the folders above it that do not exist.
 * @throws FileError if one cannot be made
 */
export function makeFolder(folder: string): void {
  try {
    make(folder)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT') throw toFileError(folder, error)
    throw new FileError(folder, 'no folder can be made there', { code, cause: error })
  }
}

function make(folder: string): void {
  try {
    mkdirSync(folder)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' && statSync(folder).isDirectory()) return
    if (code !== 'ENOENT' || dirname(folder) === folder) throw error
    make(dirname(folder))
    mkdirSync(folder)
  }
}
