/**
 * A file lock that ends with its process. It is SQLite's file lock (fcntl, or LockFileEx on Windows), which the kernel
 * releases when the process ends, in whatever way. It needs no process id and no age, so a reused id or a zombie cannot
 * hold it. SQLite is part of Node. Do not open the file elsewhere: closing it would release the lock (a rule of fcntl).
 */
import { rmSync, statSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { FileError } from './file-error.ts'

/** A lock that is held. */
export interface Lock {
  /** Releases the lock and removes its file. */
  release(): void
}

const SQLITE_BUSY = 5
const MAX_TRIES = 100

/**
 * Takes the lock `file`, an empty file that is made for it and removed with it. Does not wait.
 * @returns undefined if another holder has it, in this process or another on this machine
 * @throws FileError if the file cannot be made
 */
export function takeLock(file: string): Lock | undefined {
  for (let i = 0; i < MAX_TRIES; i++) {
    const before = inodeOf(file)
    const database = lockOnce(file)
    if (!database) return undefined
    // The last holder may have removed the file after we opened and before we locked it: then we locked another file.
    if (before !== undefined && inodeOf(file) === before) {
      held.add(database)
      return { release: () => release(database, file) }
    }
    database.close()
  }
  return undefined
}

/** Keeps databases from garbage collection, which would close them and release their locks. */
const held = new Set<DatabaseSync>()

function release(database: DatabaseSync, file: string): void {
  if (!held.delete(database)) return
  try {
    rmSync(file, { force: true }) // while the lock is held, so no other holder can have locked it
  } catch {} // Windows does not remove an open file: an empty file stays
  database.close()
}

function lockOnce(file: string): DatabaseSync | undefined {
  let database: DatabaseSync | undefined
  try {
    database = new (loadSqlite().DatabaseSync)(file, { timeout: 0 })
    database.exec('BEGIN EXCLUSIVE')
    return database
  } catch (cause) {
    database?.close()
    if ((cause as { errcode?: number }).errcode === SQLITE_BUSY) return undefined
    throw new FileError(file, `cannot be locked: ${(cause as Error).message}`, { code: 'NOLOCK', cause })
  }
}

function inodeOf(file: string): bigint | undefined {
  return statSync(file, { bigint: true, throwIfNoEntry: false })?.ino
}

/** Suppresses Node's warning that its SQLite is experimental: only its lock is used here. */
function loadSqlite(): typeof import('node:sqlite') {
  const { emitWarning } = process
  process.emitWarning = () => {}
  try {
    return process.getBuiltinModule('node:sqlite')
  } finally {
    process.emitWarning = emitWarning
  }
}
