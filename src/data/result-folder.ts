/** Writes a folder that gets its final name only when it is complete. */
import { existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'
import { UsageError } from '../core/provider/errors.ts'
import { syncName } from '../lib/durable.ts'
import { toFileError } from '../lib/file-error.ts'
import { makeFolder } from '../lib/make-folder.ts'
import { openShards, type ShardState } from './shards.ts'

/** A folder that is still being written. */
export interface ResultFolder {
  /** Its path until it is finished. */
  path: string
  /** Bytes that were written to all files. */
  readonly bytes: number
  /** Appends a JSON line. @throws FileError */
  write(file: string, value: object): void
  /** Appends two pieces of a line; the second is text or UTF-8 bytes. @throws FileError */
  append(file: string, text: string, rest: string | Uint8Array): void
  /** The names that a file gets at the end: its own, or those of its shards. */
  namesOf(file: string): string[]
  /** Has the disk keep what was written. A later process opens the folder again with the result. @throws FileError */
  sync(): FolderState
  /** Renames it to its final name. @throws FileError */
  finish(): void
  /** Closes it, so that a later process can resume. */
  leave(): void
  /** Deletes the unfinished folder. An older folder with the final name stays. */
  remove(): void
}

/** Where each file ends. */
export type FolderState = Record<string, ShardState>

/** What to write, and how to begin. */
export interface FolderOptions {
  restart?: boolean
  files: string[]
  /** Most bytes of a file, except for one longer line. A larger file becomes several: `train-00000-of-00002.jsonl`. */
  shardBytes?: number
  /** Opens the unfinished folder again instead of making it. */
  from?: FolderState
}

/** A folder within the unfinished one, for what is not part of the result. */
export const STATE = 'state.tmp'

/** Returns the path of the folder until it is finished. */
export const unfinishedPath = (out: string) => `${path.resolve(out)}.unfinished`

/**
 * Checks that a folder may be written.
 * @throws UsageError if `out` is a file, or is not empty and must not be replaced
 */
export function checkOut(out: string, restart = false): void {
  bringBack(out)
  const found = statSync(out, { throwIfNoEntry: false })
  if (found && !found.isDirectory()) throw new UsageError(`${out} is a file; expected the name of a folder`)
  if (!found || readdirSync(out).length === 0) return
  if (!restart) throw new UsageError(`${out} is not empty; give another -o, or --restart`)
  if (!readdirSync(out).some((name) => /^train(-\d+-of-\d+)?\.jsonl$/.test(name))) {
    throw new UsageError(
      `${out} has no train.jsonl, so it is not a data set and is not replaced; give another -o`,
    )
  }
}

/**
 * Begins an unfinished folder with these files, next to `out`. It deletes the leftovers of an interrupted run, unless it
 * is to resume it.
 * @throws UsageError if `out` is a file, or is not empty and must not be replaced
 */
export function createFolder(out: string, options: FolderOptions): ResultFolder {
  const { restart = false, files: names, shardBytes, from } = options
  checkOut(out, restart)
  const unfinished = unfinishedPath(out)
  const attempt = <T>(act: () => T): T => {
    try {
      return act()
    } catch (error) {
      throw toFileError(out, error)
    }
  }
  const files = attempt(() => {
    if (!from) rmSync(unfinished, { recursive: true, force: true })
    makeFolder(unfinished)
    return new Map(
      names.map((name) => [
        name,
        openShards(path.join(unfinished, name), { shardBytes, from: from?.[name] }),
      ]),
    )
  })
  const find = (name: string) => {
    const file = files.get(name)
    if (!file) throw new Error(`the folder has no file ${name}`)
    return file
  }
  const close = () => {
    for (const file of files.values()) file.close()
  }
  return {
    path: unfinished,
    get bytes() {
      return [...files.values()].reduce((sum, file) => sum + file.bytes, 0)
    },
    write: (name, value) => attempt(() => find(name).append(`${JSON.stringify(value)}\n`, '')),
    append: (name, text, rest) => attempt(() => find(name).append(text, rest)),
    namesOf: (name) =>
      find(name)
        .names()
        .map((file) => path.join(path.dirname(name), path.basename(file))),
    sync: () => attempt(() => Object.fromEntries([...files].map(([name, file]) => [name, file.sync()]))),
    finish: () =>
      attempt(() => {
        for (const file of files.values()) file.finish()
        rmSync(path.join(unfinished, STATE), { recursive: true, force: true })
        replaceFolder(unfinished, out)
      }),
    leave: close,
    remove() {
      close()
      rmSync(unfinished, { recursive: true, force: true })
    },
  }
}

const oldOf = (out: string) => `${path.resolve(out)}.old.unfinished`

/** Gives a folder its final name. An older folder of this name is removed last, so that one of both is always whole. */
function replaceFolder(unfinished: string, out: string): void {
  const old = oldOf(out)
  if (existsSync(out)) {
    rmSync(old, { recursive: true, force: true })
    renameSync(out, old)
  }
  try {
    renameSync(unfinished, out)
  } catch (error) {
    bringBack(out)
    throw error
  }
  syncName(out)
  rmSync(old, { recursive: true, force: true })
}

/** If a replacement stopped midway, the older folder gets its name again. */
function bringBack(out: string): void {
  const old = oldOf(out)
  if (!existsSync(out) && existsSync(old)) renameSync(old, out)
}
