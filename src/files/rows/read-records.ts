/** Reads records in flat memory: from JSON lines, a JSON array, CSV (all packed by gzip or zstd, or not) or Parquet. */
import { isUtf8 } from 'node:buffer'
import { closeSync, createReadStream, openSync, readdirSync, readSync, statSync } from 'node:fs'
import path from 'node:path'
import { pipeline, Readable, type Transform } from 'node:stream'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { DataError, UsageError } from '../../core/provider/errors.ts'
import { jsonReason } from '../../lib/explain-json.ts'
import { checkReadable, toFileError } from '../../lib/file-error.ts'
import { parseExact } from '../../lib/jsonl.ts'
import { needPackages } from '../optional-packages.ts'
import type { Wanted } from './read-parquet.ts'
import type { RawRecord } from './row.ts'
import { splitArray, splitLines } from './split-json.ts'

/** Files that hubs and libraries put beside the rows. */
const NO_ROWS =
  /(^|[\\/])(dataset_infos?|dataset_dict|state|config|tokenizer\w*|special_tokens_map|generation_config)\.json$/
const isHidden = (name: string) => name.split(/[\\/]/).some((part) => part.startsWith('.'))
const KINDS = /\.(jsonl|ndjson|json|journal|csv|tsv|parquet)(\.(gz|zst))?$/
const isCsv = (file: string) => /\.[ct]sv(\.(gz|zst))?$/.test(file)

/** Fields whose whole numbers may have 64 bits: they are kept as they are written. */
export const idFields = ['id', 'custom_id', 'prompt_id']

/** Whether no reader of text reads a file: it is Parquet or CSV, or packed. `readRecords` does. */
export function isPacked(file: string): boolean {
  if (isCsv(file)) return true
  checkReadable(file)
  const fd = openSync(file, 'r')
  try {
    const start = Buffer.alloc(6)
    readSync(fd, start, 0, 6, 0)
    return packingOf(start) !== undefined || isParquet(start)
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
  if (names.length === 0)
    throw new UsageError(`${source}: no .jsonl, .json, .csv, .gz or .parquet file is in it`)
  return names.sort().map((name) => path.join(source, name))
}

/** How names say that rows are not for training, as names on the model hub do: `test_sft-00000-of-00001`, `gsm8k_test`, `dev`. */
const HELD_OUT =
  /^(test|testing|validation|valid|val|dev|eval|evaluation)([-_. 0-9]|$)|[-_. ](test|validation|valid|val|dev)$/i
const isHeldOut = (name: string) =>
  name
    .replace(KINDS, '')
    .replace(/-\d+-of-\d+$/, '')
    .split(/[\\/]/)
    .some((part) => HELD_OUT.test(part))

/**
 * The files of a source to train on. Of a folder, files whose names say test or validation are `heldOut` if there are
 * others, and the files of `out`, which an earlier build has written, are left out.
 * @throws UsageError if there is none
 */
export function listTrainingFiles(source: string, out?: string): { files: string[]; heldOut: string[] } {
  const all = listFiles(source)
  if (all[0] === source) return { files: all, heldOut: [] }
  const own = out === undefined ? undefined : path.resolve(out)
  const isOwn = (file: string) =>
    own !== undefined &&
    /^([\\/]|\.(old\.)?unfinished[\\/]|\.targets\.jsonl)/.test(afterStart(path.resolve(file), own))
  const others = all.filter((file) => !isOwn(file))
  if (others.length === 0) throw new UsageError(`${source}: it has no rows but those of ${out}`)
  const held = others.filter((file) => isHeldOut(path.relative(source, file)))
  if (held.length === others.length) return { files: others, heldOut: [] }
  return { files: others.filter((file) => !held.includes(file)), heldOut: held }
}

const afterStart = (text: string, start: string) => (text.startsWith(start) ? text.slice(start.length) : '')

/** Says which files of a folder are not trained on. */
export function describeHeldOut(files: string[]): string {
  return `not read, because their names say test or validation: ${files.join(', ')}. Name them one by one to train on them`
}

/**
 * The records of files, one after the other. A broken line or element is a record with a `problem`.
 * @param wanted which columns of Parquet files to read
 * @param most bytes that a packed file may unpack to
 * @throws FileError if a file cannot be read, or is broken as a whole; DataError if an array is cut off or more follows it
 */
export async function* readRecords(
  files: string[],
  wanted?: Wanted,
  most?: number,
): AsyncGenerator<RawRecord> {
  for (const file of files) {
    try {
      if (file.endsWith('.parquet')) yield* readParquetFile(file, wanted)
      else yield* readStream(file, wanted, most)
    } catch (error) {
      throw toFileError(file, error)
    }
  }
}

/**
 * The records of a file in which each must be whole.
 * @throws DataError with the line of a broken one; and what `readRecords` throws
 */
export async function* readWholeRecords(
  file: string,
  most?: number,
): AsyncGenerator<{ value: unknown; line: number; row?: number }> {
  for await (const { value, line, row, problem } of readRecords([file], undefined, most)) {
    if (problem !== undefined) throw new DataError(file, line, problem)
    yield { value, line, row }
  }
}

/** Loaded only here: its packages are optional. */
async function* readParquetFile(file: string, wanted?: Wanted): AsyncGenerator<RawRecord> {
  needPackages('reading Parquet')
  const { readParquet } = await import('./read-parquet.ts')
  yield* readParquet(file, wanted)
}

async function* readStream(file: string, wanted?: Wanted, most?: number): AsyncGenerator<RawRecord> {
  if (file !== '-') checkReadable(file)
  const input = file === '-' ? process.stdin : createReadStream(file, { highWaterMark: 1 << 18 })
  const { first, all } = await peek(input)
  const name = file === '-' ? 'stdin' : file
  if (file !== '-' && isParquet(first)) return yield* readParquetFile(file, wanted)
  const chunks = bounded(name, unpack(name, first, all), most)
  if (!isCsv(file)) return yield* readJson(name, chunks)
  needPackages('reading CSV')
  const { readCsv } = await import('./read-csv.ts')
  yield* readCsv(name, chunks, /\.tsv/.test(file) ? '\t' : ',')
}

async function* readJson(name: string, chunks: Chunks): AsyncGenerator<RawRecord> {
  const { first, all } = await peek(chunks)
  const inArray = isArray(first)
  let row = 0
  for await (const { bytes, line, problem } of inArray ? splitArray(all) : splitLines(all)) {
    if (problem !== undefined) throw new DataError(name, line, problem)
    const record = parseRecord(bytes)
    if (!record) continue
    if (line === 1 && 'value' in record && isTable(record.value))
      yield* readTable(name, bytes.toString('utf8'))
    else yield { file: name, line, ...(inArray && { row: ++row }), ...record }
  }
}

/** A table by columns, as pandas writes one if it is asked for nothing else: `{column: {"0": cell, "1": cell}}`. */
type Table = Record<string, Record<string, unknown>>

/** Whether a value is such a table. */
export function isTable(value: unknown): value is Table {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const columns = Object.values(value)
  const keys = (column: unknown) =>
    typeof column === 'object' && column !== null && !Array.isArray(column)
      ? Object.keys(column).join()
      : undefined
  const first = keys(columns[0])
  return /^\d+(,\d+)*$/.test(first ?? '') && columns.every((column) => keys(column) === first)
}

/** The rows of a table's text. */
export function* readTable(file: string, text: string): Generator<RawRecord> {
  const keys = Object.keys(Object.values(JSON.parse(plain(text)) as Table)[0] ?? {})
  const table = parsePlain(text, keys) as Table // ids of 64 bits stand under these keys
  for (const [i, key] of keys.entries()) {
    const cells = Object.entries(table).map(([name, column]) => [name, column[key]])
    yield { file, line: 1, row: i + 1, value: Object.fromEntries(cells) }
  }
}

/** Whether a file holds JSON lines, as they are: no array, not zipped, no Parquet. */
export function isPlainLines(file: string): boolean {
  if (file === '-' || isCsv(file) || !statSync(file).isFile()) return false
  const fd = openSync(file, 'r')
  const start = Buffer.alloc(1024)
  readSync(fd, start)
  closeSync(fd)
  return packingOf(start) === undefined && !isParquet(start) && !isArray(start)
}

/** How packers begin their files. */
const PACKINGS: Record<string, RegExp> = {
  gzip: /^\x1f\x8b/,
  zstd: /^(\x28\xb5|[\x50-\x5f]\x2a)/,
  bzip2: /^BZh[1-9]/,
  xz: /^\xfd7zXZ/,
  zip: /^PK\x03\x04/,
}

function packingOf(start: Buffer): string | undefined {
  const text = start.toString('latin1', 0, 6)
  return Object.keys(PACKINGS).find((name) => PACKINGS[name]?.test(text))
}
const isParquet = (start: Buffer) => start.toString('latin1', 0, 4) === 'PAR1'
const isArray = (start: Buffer) => /^(\xef\xbb\xbf)?\s*\[/.test(start.toString('latin1', 0, 1024))

type Chunks = AsyncIterable<Buffer>

function unpack(name: string, first: Buffer, all: Chunks): Chunks {
  const packing = packingOf(first)
  if (packing === undefined) return all
  const unpackers: Record<string, () => Transform> = { gzip: createGunzip, zstd: createZstdDecompress }
  const make = unpackers[packing]
  if (!make)
    throw new DataError(name, undefined, `is packed by ${packing}, which is not read: unpack it, or use gzip`)
  return pipeline(Readable.from(all), make(), () => {}) // the reader gets the error
}

async function* bounded(name: string, chunks: Chunks, most = Number.POSITIVE_INFINITY) {
  let rest = most
  for await (const chunk of chunks) {
    rest -= chunk.length
    if (rest < 0) throw new DataError(name, undefined, `holds more than ${most >> 20} MB once it is unpacked`)
    yield chunk
  }
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

const PYTHON_NUMBERS = /"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g

/** Python writes NaN and Infinity, which JSON does not have: they are no value, as in Parquet. */
export function plain(text: string): string {
  if (!/\b(NaN|Infinity)\b/.test(text)) return text
  return text.replace(PYTHON_NUMBERS, (found) => (found.startsWith('"') ? found : 'null'))
}

/** Parses JSON that may be Python's. Most is not, so it is tried as it is. */
export function parsePlain(text: string, exact: string[]): unknown {
  try {
    return parseExact(text, exact)
  } catch (error) {
    const other = plain(text)
    if (other === text) throw error
    return parseExact(other, exact)
  }
}

/** The value of a line or element, or what is wrong with it. Nothing at all for a blank line. */
export function parseRecord(bytes: Buffer): { value: unknown } | { problem: string } | undefined {
  if (!isUtf8(bytes)) return { problem: 'expected UTF-8, got other bytes' }
  const text = bytes.toString('utf8').replace(/^\uFEFF/, '')
  try {
    const value = parsePlain(text, idFields)
    return text.includes('\\u') && mayHaveHalf.test(text) && hasHalf(value) ? { problem: HALF } : { value }
  } catch (error) {
    return text.trim() === '' ? undefined : { problem: `expected JSON: ${jsonReason(error)}` }
  }
}
