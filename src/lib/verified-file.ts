/**
 * Downloaded files on disk. A file counts as there only when its size and SHA-256 are the expected ones; a new one is
 * written in a work folder of its own and renamed, so that two pulls at once both succeed and none leaves half a file.
 */
import { createHash, type Hash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'

/**
 * What a file must be: its name in the cache, size in bytes and SHA-256 in hexadecimal. Where the size is not known the
 * digest alone counts, and more than `unknownMost` is not taken.
 */
export interface FileFacts {
  file: string
  bytes?: number
  sha256: string
}

/** How far a pull is. `label` names the phase; bytes are those of the phase. */
export interface PullProgress {
  receivedBytes: number
  totalBytes: number
  label: string
}

export interface SaveOptions {
  signal?: AbortSignal
  onProgress?: (progress: PullProgress) => void
  /** Of the phase, for progress. */
  label: string
}

const unknownMost = 64e6
const workPrefix = '.pull-'
const abandonedAfterMs = 60 * 60 * 1000

/**
 * Whether the file is there and is the expected one. Hashes it only when its stamp (digest and time of last change,
 * in a file beside it) does not match: a start with a known file reads a hundred bytes.
 */
export async function isVerified(path: string, facts: FileFacts): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  if (!found?.isFile() || (facts.bytes !== undefined && found.size !== facts.bytes)) return false
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
  options: SaveOptions,
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
  { onProgress, label }: SaveOptions,
): AsyncGenerator<Uint8Array> {
  let receivedBytes = 0
  for await (const chunk of chunks) {
    receivedBytes += chunk.length
    if (receivedBytes > (bytes ?? unknownMost)) break
    digest.update(chunk)
    if (bytes !== undefined) onProgress?.({ receivedBytes, totalBytes: bytes, label })
    yield chunk
  }
  if (bytes === undefined ? receivedBytes <= unknownMost : receivedBytes === bytes) return
  const most = bytes ?? unknownMost
  const got = receivedBytes > most ? 'more' : receivedBytes
  throw new Error(`expected ${bytes === undefined ? 'at most ' : ''}${most} bytes, got ${got}`)
}

/**
 * Runs `work` with a new folder inside `folder` (so that a rename stays on one disk) and removes it afterwards.
 * Folders that a killed process left are removed too, once nothing in them changed for an hour.
 */
export async function withWorkFolder<T>(folder: string, work: (path: string) => Promise<T>): Promise<T> {
  let path: string | undefined
  try {
    await mkdir(folder, { recursive: true })
    await removeAbandoned(folder)
    path = await mkdtemp(join(folder, workPrefix))
    return await work(path)
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

function stampOf(path: string): string {
  return `${path}.verified`
}
