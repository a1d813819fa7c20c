/** Writes all of some bytes, or files atomically. */
import { renameSync, writeFileSync, writeSync } from 'node:fs'

/** Writes a temporary file and renames it: readers see the old file or the whole new one, never a part. */
export function writeWhole(file: string, text: string): void {
  writeFileSync(`${file}.tmp`, text)
  renameSync(`${file}.tmp`, file)
}

/**
 * Writes all of a text or of bytes to the open file `fd`: at its end, or from byte `position`. The system may write less
 * than it is given.
 */
export function writeAll(fd: number, content: string | Uint8Array, position?: number): void {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  for (let done = 0; done < bytes.length; ) {
    const at = position === undefined ? undefined : position + done
    done += writeSync(fd, bytes, done, bytes.length - done, at)
  }
}
