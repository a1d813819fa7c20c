/**
 * A lock on a file that dies with its process. It is SQLite's own file lock (fcntl, or LockFileEx on Windows), which
 * the kernel lets go when the process ends, however it ends: no process id is written down and no age is looked at,
 * so a reused id or a zombie cannot hold it. SQLite is part of Node: nothing to install. Nothing else may open the file:
 * closing it would drop the lock (fcntl's own rule).
 */
import { rmSync, statSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { FileError } from './file-error.ts'

export interface Lock {
  release(): void
}

const SQLITE_BUSY = 5
const MAX_TRIES = 100

/**
 * Takes the lock `file`, an empty file that is made for it and removed with it. Does not wait.
 * @returns undefined where another holder has it, in this process or any other on this machine
 * @throws FileError where the file cannot be made
 */
export function takeLock(file: string): Lock | undefined {
  for (let i = 0; i < MAX_TRIES; i++) {
    const before = inodeOf(file)
    const database = lockOnce(file)
    if (!database) return undefined
    // The last holder may have removed the file between our opening and our locking it: then this is not the file.
    if (before !== undefined && inodeOf(file) === before) {
      held.add(database)
      return { release: () => release(database, file) }
    }
    database.close()
  }
  return undefined
}

/** Garbage collection closes a database, and with it its lock. */
const held = new Set<DatabaseSync>()

function release(database: DatabaseSync, file: string): void {
  if (!held.delete(database)) return
  try {
    rmSync(file, { force: true }) // while it is still held: nobody else can have locked it
  } catch {} // Windows removes no open file; an empty file stays
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

/** Node warns that its SQLite is experimental; only its lock is used here, and users need not read that. */
function loadSqlite(): typeof import('node:sqlite') {
  const { emitWarning } = process
  process.emitWarning = () => {}
  try {
    return process.getBuiltinModule('node:sqlite')
  } finally {
    process.emitWarning = emitWarning
  }
}
