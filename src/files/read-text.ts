/** Reads files that are kept as one text: configs, templates, results. */
import { readFileSync, statSync } from 'node:fs'
import { checkReadable, FileError, toFileError } from '../lib/file-error.ts'
import { MAX_LINE_BYTES } from '../lib/jsonl.ts'

/**
 * The text of a file of at most 256 MB.
 * @throws FileError if it cannot be read, has no end or is larger
 */
export function readText(file: string): string {
  checkReadable(file)
  try {
    const { size } = statSync(file)
    if (size > MAX_LINE_BYTES) throw new FileError(file, `is larger than ${MAX_LINE_BYTES >> 20} MB`)
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw toFileError(file, error)
  }
}
