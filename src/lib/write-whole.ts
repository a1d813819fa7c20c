/** Writes files atomically. */
import { renameSync, writeFileSync } from 'node:fs'

/** Writes a temporary file and renames it: readers see the old file or the whole new one, never a part. */
export function writeWhole(file: string, text: string): void {
  writeFileSync(`${file}.tmp`, text)
  renameSync(`${file}.tmp`, file)
}
