/** The files that a data set is built from: their hashes, and how much of them is measured. */
import { createHash } from 'node:crypto'
import { statSync } from 'node:fs'
import { open } from 'node:fs/promises'

/** A file by name. Standard input has no hash. */
export interface InputFile {
  file: string
  sha256?: string
}

/** Starts to hash the files while their rows are read. An error is thrown to the caller that awaits the result. */
export function hashInputs(files: string[]): Promise<InputFile[]> {
  const hashed = Promise.all(
    files.map(async (file) => ({ file, ...(file !== '-' && { sha256: await hashFile(file) }) })),
  )
  hashed.catch(() => {})
  return hashed
}

/** SHA-256 of a file, as hex. */
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

/** Share (0 to 1) of the examples whose overlap is measured: of large sources, some are enough to see it. */
export function findOverlapShare(files: string[]): number {
  const bytes = files.reduce((sum, file) => sum + (file === '-' ? 0 : statSync(file).size), 0)
  return Math.min(1, MEASURED_BYTES / bytes)
}
