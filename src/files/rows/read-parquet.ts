/** Reads the rows of a Parquet file. Memory holds one row group at a time, with the wanted columns only. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import {
  type AsyncBuffer,
  type Compressors,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
  parquetSchema,
} from 'hyparquet'
import { compressors as portable } from 'hyparquet-compressors'
import { FileError } from '../../lib/file-error.ts'
import type { RawRecord } from './row.ts'

/** What is read of a Parquet file. */
export interface Wanted {
  /** Top-level columns; one that the file lacks is an error. All are read if none are given. */
  columns?: string[]
  /** Further columns, read if the file has them. */
  optionalColumns?: string[]
}

/** Node's own if it has one: several times as fast as the portable ones. */
const compressors: Compressors = {
  ...portable,
  GZIP: (bytes, size) => gunzipSync(bytes, limitTo(size)),
  ZSTD: (bytes, size) => zstdDecompressSync(bytes, limitTo(size)),
  BROTLI: (bytes, size) => brotliDecompressSync(bytes, limitTo(size)),
}

/** Limits the output to the size that the page states, in one piece. */
const limitTo = (size: number) => ({ chunkSize: Math.max(64, size), maxOutputLength: Math.max(64, size) })

/** All rows of a row group are in memory at the same time; rows of nothing take no byte of the file. */
const [MAX_GROUP_BYTES, MAX_GROUP_ROWS] = [2 ** 30, 2 ** 23]

/** Unpacks the pages of one row group, as long as what they state is not too much together. */
function unpackers(): Compressors {
  let total = 0
  const names = Object.keys(compressors) as (keyof Compressors)[]
  const unpack = (name: keyof Compressors) => (bytes: Uint8Array, size: number) => {
    total += size
    if (total > MAX_GROUP_BYTES) throw new Error('a row group has more than 1 GiB once it is unpacked')
    return compressors[name]?.(bytes, size) ?? bytes
  }
  return Object.fromEntries(names.map((name) => [name, unpack(name)]))
}

const parsers = {
  stringFromBytes: (bytes: Uint8Array | undefined) =>
    bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'),
}

/**
 * Yields a file's rows as objects; `line` counts rows from 1.
 * @throws FileError if it is no Parquet file, lacks a column or is broken
 */
export async function* readParquet(file: string, wanted: Wanted = {}): AsyncGenerator<RawRecord> {
  const fd = openSync(file, 'r')
  try {
    const buffer = toBuffer(fd)
    const metadata = await readMetadata(file, buffer)
    const columns = chooseColumns(file, metadata, wanted)
    const hasLarge = metadata.schema.some(({ type }) => type === 'INT64')
    let line = 1
    for (const group of metadata.row_groups) {
      const rowStart = line - 1
      const rowEnd = rowStart + Number(group.num_rows)
      if (group.num_rows > MAX_GROUP_ROWS) throw new Error(`a row group has more than ${MAX_GROUP_ROWS} rows`)
      const options = { file: buffer, metadata, columns, rowStart, rowEnd, compressors: unpackers(), parsers }
      const rows = await parquetReadObjects(options)
      if (rows.length !== rowEnd - rowStart) throw new Error('a row group has fewer rows than the file says')
      for (const value of rows) yield { file, line: line++, value: hasLarge ? toPlain(value) : value }
    }
  } catch (error) {
    if (error instanceof FileError) throw error
    throw new FileError(file, `cannot be read as Parquet: ${(error as Error).message}`, { cause: error })
  } finally {
    closeSync(fd)
  }
}

/** The wanted columns that the file has. @throws FileError if it lacks a needed one */
function chooseColumns(file: string, metadata: FileMetaData, wanted: Wanted): string[] | undefined {
  const { columns, optionalColumns = [] } = wanted
  if (!columns) return undefined
  const has = parquetSchema(metadata).children.map(({ element }) => element.name)
  const missing = columns.filter((name) => !has.includes(name))
  if (missing.length > 0 && metadata.row_groups.length > 0)
    throw new FileError(file, `lacks the column ${missing.join(', ')}; it has ${has.join(', ')}`)
  return [...columns, ...optionalColumns.filter((name) => has.includes(name))]
}

/** Turns whole numbers of 64 bits, at any depth, into numbers, and those that a number cannot hold into text. */
function toPlain(value: unknown): unknown {
  if (typeof value === 'bigint') {
    const number = Number(value)
    return Number.isSafeInteger(number) ? number : String(value)
  }
  if (Array.isArray(value)) return value.map(toPlain)
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype)
    return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, toPlain(inner)]))
}

function readMetadata(file: string, buffer: AsyncBuffer): Promise<FileMetaData> {
  return parquetMetadataAsync(buffer).catch((cause) => {
    throw new FileError(file, `expected a Parquet file: ${(cause as Error).message}`, { cause })
  })
}

/** The parts of an open file that are asked for. */
function toBuffer(fd: number): AsyncBuffer {
  const byteLength = fstatSync(fd).size
  return {
    byteLength,
    slice(start, end = byteLength) {
      const bytes = new Uint8Array(Math.max(0, end - start))
      for (let done = 0; done < bytes.length; ) {
        const count = readSync(fd, bytes, done, bytes.length - done, start + done)
        if (count === 0) throw new Error(`the file ends at byte ${start + done}, within a column`)
        done += count
      }
      return bytes.buffer
    },
  }
}
