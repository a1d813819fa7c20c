/** Reads records in flat memory: from JSON lines, a JSON array (both gzipped or not) or Parquet. */
import { isUtf8 } from 'node:buffer'
import { closeSync, createReadStream, openSync, readdirSync, readSync, statSync } from 'node:fs'
import path from 'node:path'
import { pipeline, Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { DataError, UsageError } from '../../core/provider/errors.ts'
import { jsonReason } from '../../lib/explain-json.ts'
import { toFileError } from '../../lib/file-error.ts'
import { parseExact } from '../../lib/jsonl.ts'
import { needPackages } from '../optional-packages.ts'
import type { Wanted } from './read-parquet.ts'
import type { RawRecord } from './row.ts'
import { splitArray, splitLines } from './split-json.ts'

/** Files that hubs and libraries put beside the rows. */
const NO_ROWS =
  /(^|[\\/])(dataset_infos?|dataset_dict|state|config|tokenizer\w*|special_tokens_map|generation_config)\.json$/
const isHidden = (name: string) => name.split(/[\\/]/).some((part) => part.startsWith('.'))
const KINDS = /\.(jsonl|ndjson|json|journal|parquet)(\.gz)?$/

/** Fields whose whole numbers may have 64 bits: they are kept as they are written. */
export const idFields = ['id', 'custom_id', 'prompt_id']

/** Whether a file is Parquet, or packed by gzip: `readRecords` reads it, and no reader of text does. */
export function isPacked(file: string): boolean {
  const fd = openSync(file, 'r')
  try {
    const start = Buffer.alloc(4)
    readSync(fd, start, 0, 4, 0)
    return isZipped(start) || start.toString('latin1') === 'PAR1'
  } finally {
    closeSync(fd)
  }
}

/**
 * The files of a source: itself, or those of a folder and the folders in it, by name. `-` is standard input. Hidden files
 * are skipped, and so are those that describe a data set.
 * @throws UsageError if there is none
 */
export function listFiles(source: string): string[] {
  if (source === '-') return [source]
  const found = statSync(source, { throwIfNoEntry: false })
  if (!found) throw new UsageError(`${source}: there is no such file or folder`)
  if (!found.isDirectory()) return [source]
  const names = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter(
    (name) => KINDS.test(name) && !isHidden(name) && !NO_ROWS.test(name),
  )
  if (names.length === 0) throw new UsageError(`${source}: no .jsonl, .json, .gz or .parquet file is in it`)
  return names.sort().map((name) => path.join(source, name))
}

/**
 * The records of files, one after the other. A broken line or element is a record with a `problem`.
 * @param wanted which columns of Parquet files to read
 * @throws FileError if a file cannot be read, or is broken as a whole; DataError if an array is cut off or more follows it
 */
export async function* readRecords(files: string[], wanted?: Wanted): AsyncGenerator<RawRecord> {
  for (const file of files) {
    try {
      if (!file.endsWith('.parquet')) yield* readJson(file)
      else yield* readParquetFile(file, wanted)
    } catch (error) {
      throw toFileError(file, error)
    }
  }
}

/**
 * The records of a file in which each must be whole.
 * @throws DataError with the line of a broken one; and what `readRecords` throws
 */
export async function* readWholeRecords(file: string): AsyncGenerator<{ value: unknown; line: number }> {
  for await (const { value, line, problem } of readRecords([file])) {
    if (problem !== undefined) throw new DataError(file, line, problem)
    yield { value, line }
  }
}

/** Loaded only here: its packages are optional. */
async function* readParquetFile(file: string, wanted?: Wanted): AsyncGenerator<RawRecord> {
  needPackages('reading Parquet')
  const { readParquet } = await import('./read-parquet.ts')
  yield* readParquet(file, wanted)
}

async function* readJson(file: string): AsyncGenerator<RawRecord> {
  const chunks = await unzip(
    file === '-' ? process.stdin : createReadStream(file, { highWaterMark: 1 << 18 }),
  )
  const { first, all } = await peek(chunks)
  for await (const { bytes, line, problem } of isArray(first) ? splitArray(all) : splitLines(all)) {
    const name = file === '-' ? 'stdin' : file
    if (problem !== undefined) throw new DataError(name, line, problem)
    const record = parseRecord(bytes)
    if (record) yield { file: name, line, ...record }
  }
}

/** Whether a file holds JSON lines, as they are: no array, not zipped, no Parquet. */
export function isPlainLines(file: string): boolean {
  if (file === '-' || file.endsWith('.parquet') || !statSync(file).isFile()) return false
  const fd = openSync(file, 'r')
  const start = Buffer.alloc(1024)
  readSync(fd, start)
  closeSync(fd)
  return !isZipped(start) && !isArray(start)
}

const isZipped = (start: Buffer) => start[0] === 0x1f && start[1] === 0x8b
const isArray = (start: Buffer) => /^(\xef\xbb\xbf)?\s*\[/.test(start.toString('latin1', 0, 1024))

type Chunks = AsyncIterable<Buffer>

async function unzip(input: Chunks): Promise<Chunks> {
  const { first, all } = await peek(input)
  if (!isZipped(first)) return all
  return pipeline(Readable.from(all), createGunzip(), () => {}) // the reader gets the error
}

async function peek(input: Chunks): Promise<{ first: Buffer; all: Chunks }> {
  const rest = input[Symbol.asyncIterator]()
  const start = await rest.next()
  const first = start.done ? Buffer.alloc(0) : start.value
  async function* all() {
    yield first
    yield* { [Symbol.asyncIterator]: () => rest }
  }
  return { first, all: all() }
}

const mayHaveHalf = /\\u[dD][89a-fA-F]/
/** What is wrong with a text that no other program would read. */
const HALF =
  'expected whole characters, got half of a pair (an escape such as "\\ud83d" alone): cut the text before it'

function hasHalf(value: unknown): boolean {
  if (typeof value === 'string') return !value.isWellFormed()
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).some(([name, inner]) => !name.isWellFormed() || hasHalf(inner))
}

/** The value of a line or element, or what is wrong with it. Nothing at all for a blank line. */
export function parseRecord(bytes: Buffer): { value: unknown } | { problem: string } | undefined {
  if (!isUtf8(bytes)) return { problem: 'expected UTF-8, got other bytes' }
  const text = bytes.toString('utf8').replace(/^\uFEFF/, '')
  try {
    const value = parseExact(text, idFields)
    return mayHaveHalf.test(text) && hasHalf(value) ? { problem: HALF } : { value }
  } catch (error) {
    return text.trim() === '' ? undefined : { problem: `expected JSON: ${jsonReason(error)}` }
  }
}
