/** Finds the files that hold one file of a data set: itself, or its shards. */
import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { UsageError } from '../core/provider/errors.ts'
import { lookAt } from '../lib/file-error.ts'

/** The parts of a file in `folder`, in order: itself, or its shards; none if there is no such file. `file` may be within a folder. */
export function listShards(folder: string, file: string): string[] {
  const whole = path.join(folder, file)
  if (existsSync(whole)) return [whole]
  const { dir, name, ext } = path.parse(whole)
  const shards = lookAt(dir)?.isDirectory()
    ? readdirSync(dir)
        .filter((other) => isShard(other, name, ext))
        .sort()
    : []
  const count = Number(shards[0]?.match(/-of-(\d+)/)?.[1] ?? 0)
  if (
    shards.length !== count ||
    shards.some((other, i) => !other.startsWith(`${name}-${String(i).padStart(5, '0')}-`))
  )
    throw new UsageError(`${folder}: expected ${count} files like ${shards[0]}, got ${shards.length}`)
  return shards.map((other) => path.join(dir, other))
}

function isShard(file: string, name: string, ext: string): boolean {
  const middle = file.slice(name.length, file.length - ext.length)
  return file.startsWith(name) && file.endsWith(ext) && /^-\d{5}-of-\d{5}$/.test(middle)
}
