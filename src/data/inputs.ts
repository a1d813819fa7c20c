/** Hashes the files that a data set is built from, and decides how much of them is measured. */
import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { lookAt } from '../lib/file-error.ts'

/** A file by name, with its hash. A pipe has none: whoever else reads it takes its rows away. */
export interface InputFile {
  file: string
  sha256?: string
}

/** Starts to hash the files while their rows are read. An error reaches the caller only when it awaits the result. */
export function hashInputs(files: string[]): Promise<InputFile[]> {
  const hashed = Promise.all(
    files.map(async (file) => ({ file, ...(canReadAgain(file) && { sha256: await hashFile(file) }) })),
  )
  hashed.catch(() => {})
  return hashed
}

/** Whether a file is there as often as it is read: standard input and pipes are not. */
export const canReadAgain = (file: string) => file !== '-' && lookAt(file)?.isFile() === true

/** Returns the SHA-256 of a file in hex. */
export async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256')
  await using handle = await open(file)
  const buffer = Buffer.allocUnsafeSlow(1 << 19)
  for (;;) {
    const { bytesRead } = await handle.read(buffer, 0, buffer.length)
    if (bytesRead === 0) return hash.digest('hex')
    hash.update(buffer.subarray(0, bytesRead))
  }
}

const MEASURED_BYTES = 4e6

/** Returns the share (0 to 1) of examples to measure the overlap of. For large sources a part is enough. */
export function findOverlapShare(files: string[]): number {
  const bytes = files.reduce((sum, file) => sum + (lookAt(file)?.size ?? 0), 0)
  return Math.min(1, MEASURED_BYTES / bytes)
}
