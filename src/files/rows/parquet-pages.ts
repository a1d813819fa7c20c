/** The values of one column chunk of a Parquet file, page by page: memory holds a page, not a row group. */
import { readSync } from 'node:fs'
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import type { ColumnMetaData, Compressors, DecodedArray, Encoding, SchemaTree } from 'hyparquet'
import { assembleLists } from 'hyparquet/src/assemble.js'
import { parquetHeader } from 'hyparquet/src/column.js'
import { convert, convertWithDictionary, DEFAULT_PARSERS } from 'hyparquet/src/convert.js'
import { decompressPage, readDataPage, readDataPageV2 } from 'hyparquet/src/datapage.js'
import { readPlain } from 'hyparquet/src/plain.js'
import { getMaxDefinitionLevel, getMaxRepetitionLevel, getTreePath } from 'hyparquet/src/schema.js'
import { compressors as portable } from 'hyparquet-compressors'

/** A column within a row group. Values of a nested column are nested lists; `assembleNested` makes objects of them. */
export interface ColumnPages {
  path: string
  /** The values of the next `count` rows; fewer only where the column ends. */
  take(count: number): unknown[]
}

/** Node's own where it has one: several times as fast as the portable ones. */
const compressors: Compressors = {
  ...portable,
  GZIP: (bytes, size) => gunzipSync(bytes, limitTo(size)),
  ZSTD: (bytes, size) => zstdDecompressSync(bytes, limitTo(size)),
  BROTLI: (bytes, size) => brotliDecompressSync(bytes, limitTo(size)),
}

/** One piece of output, and no more than the page says that it holds. */
const limitTo = (size: number) => ({ chunkSize: Math.max(64, size), maxOutputLength: Math.max(64, size) })

export const parsers = {
  ...DEFAULT_PARSERS,
  stringFromBytes: (bytes: Uint8Array | undefined) =>
    bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'),
}

/** @param fd of the file, open while values are taken */
export function openColumn(fd: number, meta: ColumnMetaData, tree: SchemaTree): ColumnPages {
  const schemaPath = getTreePath(tree, meta.path_in_schema)
  const isList = getMaxRepetitionLevel(schemaPath) > 0
  const start = Number(meta.dictionary_page_offset || meta.data_page_offset)
  const pages = decodePages(
    readPages(fd, start, start + Number(meta.total_compressed_size)),
    meta,
    schemaPath,
  )
  let waiting: Page = { defined: [], repeated: [], values: [] }
  /** The first entry that is not taken yet, and its value. */
  let [entry, value] = [0, 0]

  /** Behind the last entry of the next `count` rows; undefined while it may be in another page. */
  function findEnd(count: number): number | undefined {
    const { repeated, defined } = waiting
    if (!isList) return entry + count <= defined.length ? entry + count : undefined
    let rows = 0
    for (let i = entry; i < repeated.length; i++) if (repeated[i] === 0 && rows++ === count) return i
    return undefined
  }

  function append(page: Page): void {
    const { defined, repeated, values } = waiting
    waiting = {
      defined: defined.slice(entry).concat(page.defined),
      repeated: repeated.slice(entry).concat(page.repeated),
      values: values.slice(value).concat(page.values),
    }
    ;[entry, value] = [0, 0]
  }

  return {
    path: meta.path_in_schema.join('.'),
    take(count) {
      let end = findEnd(count)
      while (end === undefined) {
        const page = pages.next()
        if (!page.done) append(page.value)
        end = page.done ? waiting.defined.length : findEnd(count)
      }
      const most = getMaxDefinitionLevel(schemaPath)
      const defined = waiting.defined.slice(entry, end)
      const repeated = waiting.repeated.slice(entry, end)
      const values = waiting.values.slice(value, value + defined.filter((level) => level === most).length)
      ;[entry, value] = [end, value + values.length]
      return defined.length === 0 ? [] : [...assembleLists([], defined, repeated, values, schemaPath)]
    },
  }
}

/** Entries of a page as they lie there: assembled all at once, the lists in lists would take a hundred times as much. */
interface Page {
  /** Definition and repetition level of each entry. */
  defined: number[]
  repeated: number[]
  /** Of the entries that have one. */
  values: unknown[]
}

function* decodePages(
  pages: Iterable<{ header: Header; bytes: Buffer }>,
  meta: ColumnMetaData,
  schemaPath: SchemaTree[],
): Generator<Page, undefined> {
  const { element } = schemaPath.at(-1) as SchemaTree
  const decoder = { ...meta, pathInSchema: meta.path_in_schema, element, schemaPath, compressors, parsers }
  const most = getMaxDefinitionLevel(schemaPath)
  let dictionary: DecodedArray | undefined
  for (const { header, bytes } of pages) {
    const { data_page_header: v1, data_page_header_v2: v2, dictionary_page_header: words } = header
    const unzip = () => decompressPage(bytes, header.uncompressed_page_size, meta.codec, compressors)
    if (words) {
      const reader = { view: viewOf(unzip()), offset: 0 }
      dictionary = convert(readPlain(reader, meta.type, words.num_values, element.type_length), decoder)
    } else if (v1 || v2) {
      const { definitionLevels, repetitionLevels, dataPage } = v1
        ? readDataPage(unzip(), v1, decoder)
        : readDataPageV2(bytes, header, decoder)
      const { num_values: count, encoding } = (v1 ?? v2) as { num_values: number; encoding: Encoding }
      const values = convertWithDictionary(dataPage, dictionary, encoding, decoder)
      yield {
        defined: definitionLevels?.length ? definitionLevels : new Array(count).fill(most),
        repeated: repetitionLevels.length > 0 ? repetitionLevels : new Array(count).fill(0),
        values: Array.from(values as ArrayLike<unknown>),
      }
    }
  }
  return undefined
}

type Header = ReturnType<typeof parquetHeader>

const WINDOW_BYTES = 1 << 16

/** Pages with their headers. A header has no stated length: it is read with what is behind it. */
function* readPages(fd: number, start: number, end: number): Generator<{ header: Header; bytes: Buffer }> {
  let at = start
  while (at < end - 1) {
    const { header, window, length } = readHeader(fd, at, end)
    const size = header.compressed_page_size
    if (size < 0 || at + length + size > end)
      throw new Error(`a page at byte ${at} is larger than its column`)
    const isThere = length + size <= window.length
    const bytes = isThere ? window.subarray(length, length + size) : readBytes(fd, at + length, size)
    yield { header, bytes }
    at += length + size
  }
}

function readHeader(fd: number, at: number, end: number): { header: Header; window: Buffer; length: number } {
  for (let size = WINDOW_BYTES; ; size *= 4) {
    const window = readBytes(fd, at, Math.min(size, end - at))
    const reader = { view: viewOf(window), offset: 0 }
    try {
      return { header: parquetHeader(reader), window, length: reader.offset }
    } catch (error) {
      // A header can hold the longest value of its page.
      if (!(error instanceof RangeError) || window.length === end - at) throw error
    }
  }
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

function readBytes(fd: number, at: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(length)
  for (let done = 0; done < length; ) {
    const count = readSync(fd, bytes, done, length - done, at + done)
    if (count === 0) throw new Error(`the file ends at byte ${at + done}, within a column`)
    done += count
  }
  return bytes
}
