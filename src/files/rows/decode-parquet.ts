/** Decodes a Parquet file, in a process of its own. Memory holds one row group at a time, with the wanted columns only. */
import { fstatSync, readSync } from 'node:fs'
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
import { MAX_LINE_BYTES } from '../../lib/jsonl.ts'
import type { Wanted } from './read-parquet.ts'

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
    if (total > MAX_GROUP_BYTES) throw new Error('the row group has more than 1 GiB once it is unpacked')
    return compressors[name]?.(bytes, size) ?? bytes
  }
  return Object.fromEntries(names.map((name) => [name, unpack(name)]))
}

const parsers = {
  stringFromBytes: (bytes: Uint8Array | undefined) =>
    bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'),
}

/** The texts of a batch of rows are about this long. */
const BATCH_BYTES = 2 ** 22

/**
 * Yields the rows of an open file as objects, some at a time.
 * @param onStep hears what is read next, and how many bytes it has once it is unpacked
 * @throws Error with what is wrong, and where
 */
export async function* decodeParquet(
  fd: number,
  wanted: Wanted,
  onStep: (where: string, bytes: number) => void,
): AsyncGenerator<object[]> {
  const file = toBuffer(fd)
  onStep('the end of the file', file.byteLength)
  const { metadata, has } = await readMetadata(file)
  const columns = metadata.row_groups.length > 0 ? chooseColumns(has, wanted) : undefined
  let first = 1
  for (const group of metadata.row_groups) {
    const count = Number(group.num_rows)
    const where = `rows ${first} to ${first + count - 1}`
    onStep(where, Math.min(Number(group.total_byte_size), MAX_GROUP_BYTES))
    try {
      if (count > MAX_GROUP_ROWS) throw new Error(`the row group has more than ${MAX_GROUP_ROWS} rows`)
      for (const rows of batches(await readGroup(file, { ...metadata, row_groups: [group] }, columns))) {
        yield rows
        onStep(where, BATCH_BYTES)
      }
    } catch (cause) {
      throw new Error(`cannot be read as Parquet: ${where}: ${(cause as Error).message}`, { cause })
    }
    first += count
  }
}

/** The rows of a file with one row group. */
async function readGroup(file: AsyncBuffer, metadata: FileMetaData, columns?: string[]): Promise<object[]> {
  const rows = await parquetReadObjects({ file, metadata, columns, compressors: unpackers(), parsers })
  if (rows.length !== Number(metadata.row_groups[0]?.num_rows))
    throw new Error('the row group has fewer rows than the file says')
  return metadata.schema.some(({ type }) => type === 'INT64')
    ? rows.map((row) => toPlain(row) as object)
    : rows
}

/** A text that many rows share is written once for each: the batches are counted, not the rows. */
function* batches(rows: object[]): Generator<object[]> {
  let [from, bytes] = [0, 0]
  for (const [i, row] of rows.entries()) {
    const size = sizeOf(row)
    if (size > MAX_LINE_BYTES) throw new Error(`a row has more than ${MAX_LINE_BYTES >> 20} MB`)
    bytes += size
    if (bytes < BATCH_BYTES) continue
    yield rows.slice(from, i + 1)
    ;[from, bytes] = [i + 1, 0]
  }
  if (from < rows.length) yield rows.slice(from)
}

function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length
  if (typeof value !== 'object' || value === null) return 8
  if (ArrayBuffer.isView(value)) return value.byteLength
  let size = 16
  for (const inner of Object.values(value)) size += sizeOf(inner)
  return size
}

async function readMetadata(file: AsyncBuffer): Promise<{ metadata: FileMetaData; has: string[] }> {
  try {
    const metadata = await parquetMetadataAsync(file)
    if (metadata.row_groups.some(({ num_rows: count }) => !(count >= 0)))
      throw new Error('a row group lacks its number of rows')
    return { metadata, has: parquetSchema(metadata).children.map(({ element }) => element.name) }
  } catch (cause) {
    throw new Error(`expected a Parquet file: ${(cause as Error).message}`, { cause })
  }
}

/** The wanted columns that a file has. */
function chooseColumns(has: string[], { columns, optionalColumns = [] }: Wanted): string[] | undefined {
  if (!columns) return undefined
  const missing = columns.filter((name) => !has.includes(name))
  if (missing.length > 0) throw new Error(`lacks the column ${missing.join(', ')}; it has ${has.join(', ')}`)
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

/** The parts of an open file that are asked for. */
function toBuffer(fd: number): AsyncBuffer {
  const byteLength = fstatSync(fd).size
  return {
    byteLength,
    slice(start, end = byteLength) {
      if (!(start >= 0 && end >= start && end <= byteLength))
        throw new Error(`a column is at bytes ${start} to ${end} of ${byteLength}`)
      const bytes = new Uint8Array(end - start)
      for (let done = 0; done < bytes.length; ) {
        const count = readSync(fd, bytes, done, bytes.length - done, start + done)
        if (count === 0) throw new Error(`the file became shorter while it was read`)
        done += count
      }
      return bytes.buffer
    },
  }
}
