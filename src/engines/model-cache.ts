/**
 * Model files on disk. A file counts as there only when its size and SHA-256 are the expected ones; a new one is
 * written in a work folder of its own and renamed, so that two pulls at once both succeed and none leaves half a file.
 */
import { createHash, type Hash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { UsageError } from '../core/errors.ts'

/** What a model file must be: its name in the cache, size in bytes and SHA-256 in hexadecimal. */
export interface FileFacts {
  file: string
  bytes: number
  sha256: string
}

/** How far a pull is. `label` names the phase; bytes are those of the phase. */
export interface PullProgress {
  receivedBytes: number
  totalBytes: number
  label: string
}

export interface PullOptions {
  signal?: AbortSignal
  onProgress?: (progress: PullProgress) => void
  env?: NodeJS.ProcessEnv
  /** Milliseconds without data after which a hub is given up; default 30 s, 5 s for its first answer. */
  stallMs?: number
}

const workPrefix = '.pull-'
const abandonedAfterMs = 60 * 60 * 1000

/**
 * Whether the file is there and is the expected one. Hashes it only when its stamp (digest and time of last change,
 * in a file beside it) does not match: a start with a known file reads a hundred bytes.
 */
export async function isVerified(path: string, facts: FileFacts): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  if (found?.size !== facts.bytes) return false
  const stamp = `${facts.sha256} ${found.mtimeMs}\n`
  if ((await readFile(stampOf(path), 'utf8').catch(() => '')) === stamp) return true
  const digest = createHash('sha256')
  await pipeline(createReadStream(path), digest)
  if (digest.digest('hex') !== facts.sha256) return false
  await writeFile(stampOf(path), stamp).catch(() => {}) // a read-only cache is hashed at each start
  return true
}

/**
 * Writes chunks to `folder`/`facts.file`: to a temporary name in `work` first, renamed once size and digest are right.
 * @throws Error when they are not, or the disk fails; then nothing is left but the work folder
 */
export async function saveVerified(
  chunks: AsyncIterable<Uint8Array>,
  place: { folder: string; work: string },
  facts: FileFacts,
  options: PullOptions & { label: string },
): Promise<string> {
  const temporary = join(place.work, facts.file)
  const digest = createHash('sha256')
  const counted = countInto(digest, chunks, facts, options)
  await pipeline(counted, createWriteStream(temporary, { flush: true }), { signal: options.signal })
  const sha256 = digest.digest('hex')
  if (sha256 !== facts.sha256) throw new Error(`expected SHA-256 ${facts.sha256}, got ${sha256}`)
  const path = join(place.folder, facts.file)
  try {
    await rename(temporary, path)
  } catch (error) {
    // Windows refuses to replace a file that another process has open: then that process's file will do.
    if (!(await isVerified(path, facts))) throw error
  }
  const { mtimeMs } = await stat(path)
  await writeFile(stampOf(path), `${sha256} ${mtimeMs}\n`)
  return path
}

async function* countInto(
  digest: Hash,
  chunks: AsyncIterable<Uint8Array>,
  { bytes }: FileFacts,
  { onProgress, label }: PullOptions & { label: string },
): AsyncGenerator<Uint8Array> {
  let receivedBytes = 0
  for await (const chunk of chunks) {
    receivedBytes += chunk.length
    if (receivedBytes > bytes) break
    digest.update(chunk)
    onProgress?.({ receivedBytes, totalBytes: bytes, label })
    yield chunk
  }
  if (receivedBytes === bytes) return
  const got = receivedBytes > bytes ? 'more' : receivedBytes
  throw new Error(`expected ${bytes} bytes, got ${got}`)
}

/**
 * Runs `work` with a new folder inside `folder` (so that a rename stays on one disk) and removes it afterwards.
 * Folders that a killed process left are removed too, once nothing in them changed for an hour.
 * @throws UsageError when the disk is full or the folder cannot be written
 */
export async function withWorkFolder<T>(folder: string, work: (path: string) => Promise<T>): Promise<T> {
  let path: string | undefined
  try {
    await mkdir(folder, { recursive: true })
    await removeAbandoned(folder)
    path = await mkdtemp(join(folder, workPrefix))
    return await work(path)
  } catch (error) {
    throw explainDiskError(error, folder)
  } finally {
    if (path) await rm(path, { recursive: true, force: true, maxRetries: 3 })
  }
}

/** Bytes of all files below a folder, and when the last of them changed. Files that vanish meanwhile count nothing. */
export async function measureFolder(folder: string): Promise<{ bytes: number; changedMs: number }> {
  const names = await readdir(folder, { recursive: true }).catch(() => [])
  const stats = await Promise.all(
    ['.', ...names].map((name) => stat(join(folder, name)).catch(() => undefined)),
  )
  let bytes = 0
  let changedMs = 0
  for (const found of stats) {
    if (found?.isFile()) bytes += found.size
    changedMs = Math.max(changedMs, found?.mtimeMs ?? 0)
  }
  return { bytes, changedMs }
}

async function removeAbandoned(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.startsWith(workPrefix)) continue
    const path = join(folder, name)
    const { changedMs } = await measureFolder(path)
    if (Date.now() - changedMs > abandonedAfterMs) await rm(path, { recursive: true, force: true })
  }
}

function explainDiskError(error: unknown, folder: string): unknown {
  const { code } = error as NodeJS.ErrnoException
  const elsewhere = 'or set AFT_CACHE_DIR to a folder with room that you can write'
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new UsageError(`the disk of ${folder} is full: free some space, ${elsewhere}`, { cause: error })
  }
  if (code === 'EACCES' || code === 'EROFS' || code === 'EPERM' || code === 'ENOTDIR' || code === 'EEXIST') {
    return new UsageError(`cannot write ${folder} (${code}): make it writable, ${elsewhere}`, {
      cause: error,
    })
  }
  return error
}

function stampOf(path: string): string {
  return `${path}.verified`
}
