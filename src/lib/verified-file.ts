/**
 * Downloaded files on disk. A file counts as present only if its size and SHA-256 are as expected. A new one is written
 * in a work folder of its own and then renamed: two downloads at once both succeed, and neither leaves half a file.
 */
import { createHash, type Hash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { makeFolder } from './make-folder.ts'

/**
 * What a file must be: its name in the cache, size in bytes and SHA-256 in hexadecimal. If the size is not known, only
 * the digest counts, and a file larger than `unknownMost` is rejected.
 */
export interface FileFacts {
  file: string
  bytes?: number
  sha256: string
}

/** Progress of a download. `label` names the phase; bytes are those of the phase. */
export interface PullProgress {
  receivedBytes: number
  totalBytes: number
  label: string
}

/** How a file is saved. */
export interface SaveOptions {
  signal?: AbortSignal
  onProgress?: (progress: PullProgress) => void
  /** Names the phase in the progress. */
  label: string
}

const unknownMost = 64e6
const workPrefix = '.pull-'
const abandonedAfterMs = 60 * 60 * 1000

/**
 * Whether the file is present and as expected. Hashes it only if its stamp (digest and time of last change, in a file
 * beside it) does not match: for a known file this reads a hundred bytes.
 */
export async function isVerified(path: string, facts: FileFacts): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  if (!found?.isFile() || (facts.bytes !== undefined && found.size !== facts.bytes)) return false
  const stamp = `${facts.sha256} ${found.mtimeMs}\n`
  if ((await readFile(stampOf(path), 'utf8').catch(() => '')) === stamp) return true
  const digest = createHash('sha256')
  await pipeline(createReadStream(path), digest)
  if (digest.digest('hex') !== facts.sha256) return false
  await writeFile(stampOf(path), stamp).catch(() => {}) // without a stamp, as in a read-only cache, the file is hashed each time
  return true
}

/**
 * Writes chunks to `folder`/`facts.file`: first to a temporary name in `work`, renamed when size and digest are right.
 * @throws Error if they are not, or if the disk fails; then only the work folder is left
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
    // Windows does not replace a file that another process has open: then use that one.
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
 * Also removes folders of killed processes, if nothing in them has changed for an hour.
 */
export async function withWorkFolder<T>(folder: string, work: (path: string) => Promise<T>): Promise<T> {
  let path: string | undefined
  try {
    makeFolder(folder)
    await removeAbandoned(folder)
    path = await mkdtemp(join(folder, workPrefix))
    return await work(path)
  } finally {
    if (path) await rm(path, { recursive: true, force: true, maxRetries: 3 })
  }
}

/** Bytes of all files below a folder, and when the last of them changed. Files that vanish meanwhile are not counted. */
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
