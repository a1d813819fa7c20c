/** A file that is there whole or not at all. */
import { renameSync, writeFileSync } from 'node:fs'

/** Writes beside the file and renames, so that no reader sees half of it. */
export function writeWhole(file: string, text: string): void {
  writeFileSync(`${file}.tmp`, text)
  renameSync(`${file}.tmp`, file)
}
