/** Rows of a Parquet file, some at a time: the pages in front of them are passed over, not kept. */
import { open } from 'node:fs/promises'
import { type AsyncBuffer, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { FileError } from '../lib/file-error.ts'
import type { RawRecord } from './row.ts'

const ROWS_AT_A_TIME = 1_000

/**
 * Yields a file's rows as objects; `line` counts rows from 1.
 * @param columns top-level columns to read; one that the file lacks is an error, all are read where absent
 * @throws FileError where it is no Parquet file or lacks a column
 */
export async function* readParquet(file: string, columns?: string[]): AsyncGenerator<RawRecord> {
  await using handle = await open(file)
  const { size } = await handle.stat()
  const buffer: AsyncBuffer = {
    byteLength: size,
    async slice(start, end = size) {
      const bytes = new Uint8Array(end - start)
      await handle.read(bytes, 0, bytes.length, start)
      return bytes.buffer
    },
  }
  const metadata = await parquetMetadataAsync(buffer).catch((cause) => {
    throw new FileError(file, `expected a Parquet file: ${(cause as Error).message}`, { cause })
  })
  const has = new Set(metadata.row_groups[0]?.columns.map((c) => c.meta_data?.path_in_schema[0]))
  const missing = columns?.filter((name) => !has.has(name)) ?? []
  if (missing.length > 0 && has.size > 0) {
    throw new FileError(file, `lacks the column ${missing.join(', ')}; it has ${[...has].join(', ')}`)
  }
  let groupStart = 0
  for (const { num_rows } of metadata.row_groups) {
    const groupEnd = groupStart + Number(num_rows)
    for (let rowStart = groupStart; rowStart < groupEnd; rowStart += ROWS_AT_A_TIME) {
      const rowEnd = Math.min(groupEnd, rowStart + ROWS_AT_A_TIME)
      const rows = await parquetReadObjects({
        file: buffer,
        metadata,
        compressors,
        columns,
        rowStart,
        rowEnd,
      })
      for (const [i, value] of rows.entries()) yield { file, line: rowStart + i + 1, value }
    }
    groupStart = groupEnd
  }
}
