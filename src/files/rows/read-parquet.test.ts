import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { parquetWriteFile } from 'hyparquet-writer'
import { afterAll, expect, test } from 'vitest'
import { randomFrom } from '../../lib/random.ts'
import { makeRows, mutate, writeParquet } from './read-parquet.fixture.ts'
import { type Limits, readParquet, type Wanted } from './read-parquet.ts'

const folder = mkdtempSync(join(tmpdir(), 'parquet-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function write(codec: string, rows: ReturnType<typeof makeRows>): string {
  const file = join(folder, `${codec}.parquet`)
  writeParquet(file, codec, rows)
  return file
}

async function collect(file: string, wanted?: Wanted, limits?: Limits) {
  const values: unknown[] = []
  for await (const { value, line } of readParquet(file, wanted, limits)) {
    expect(line).toBe(values.length + 1)
    values.push(value)
  }
  return values
}

test.each(['UNCOMPRESSED', 'SNAPPY', 'GZIP', 'BROTLI', 'ZSTD'])(
  '%s row groups read one after the other give the rows of the whole file',
  async (codec) => {
    const file = write(codec, makeRows(700))
    const { buffer } = new Uint8Array(readFileSync(file))
    const whole = await parquetReadObjects({ file: buffer, compressors })
    expect(whole).toHaveLength(700)
    expect(await collect(file)).toEqual(whole)
  },
)

test('only the named columns are read', async () => {
  const rows = makeRows(300)
  const read = await collect(write('ZSTD', rows), { columns: ['instruction', 'number'] })
  expect(read).toEqual(rows.map(({ instruction, number }) => ({ instruction, number })))
})

test('a row group is read when its first row is asked for, so that a broken one later keeps none back', async () => {
  const file = write('UNCOMPRESSED', makeRows(700))
  const { row_groups: groups } = await parquetMetadataAsync(await asyncBufferFromFile(file))
  const bytes = readFileSync(file)
  const start = Number(groups[1]?.columns[0]?.meta_data?.data_page_offset)
  writeFileSync(file, bytes.fill(0xff, start, start + 60))
  const rows = readParquet(file)
  for (let line = 1; line <= 300; line++) expect((await rows.next()).value).toMatchObject({ line })
  await expect(rows.next()).rejects.toThrow('UNCOMPRESSED.parquet: cannot be read as Parquet')
})

test('a file that is cut or broken is said to be, by its name', async () => {
  const bytes = readFileSync(write('GZIP', makeRows(300)))
  const file = join(folder, 'broken.parquet')
  writeFileSync(file, bytes.subarray(0, 5_000))
  await expect(collect(file)).rejects.toThrow('broken.parquet: expected a Parquet file')
  writeFileSync(file, bytes.fill(7, 2_000, 6_000))
  await expect(collect(file)).rejects.toThrow('broken.parquet: cannot be read as Parquet')
})

/** Where a page's head has the size of what it holds, and its own: numbers of 7 bits a byte, as Thrift writes them. */
function sizesOfPage(bytes: Buffer, start: number): [held: number, own: number, end: number] {
  const endOf = (from: number) => from + 1 + bytes.subarray(from).findIndex((byte) => byte < 0x80)
  const held = endOf(start + 1) + 1
  const own = endOf(held) + 1
  expect([bytes[start], bytes[held - 1], bytes[own - 1]]).toEqual([0x15, 0x15, 0x15])
  return [held, own, endOf(own)]
}

test('pages that state more than a row group may have are refused before they are unpacked', async () => {
  const file = join(folder, 'bomb.parquet')
  const random = randomFrom(3)
  const data = [Array.from({ length: 2_000 }, () => random().toString(36)).join('')]
  const compressors = { GZIP: (bytes: Uint8Array) => gzipSync(bytes) }
  parquetWriteFile({
    filename: file,
    codec: 'GZIP',
    compressors,
    columnData: [{ name: 'a', data, type: 'STRING' }],
  })
  expect(await collect(file)).toHaveLength(1)
  const bytes = readFileSync(file)
  const { row_groups: groups } = await parquetMetadataAsync(await asyncBufferFromFile(file))
  const pageEnd = 4 + Number(groups[0]?.columns[0]?.meta_data?.total_compressed_size)
  const [held, own] = sizesOfPage(bytes, 4)
  const most = Buffer.from([0xfe, 0xff, 0xff, 0xff, 0x0f]) // 2 ** 31 - 1
  const more = most.length - (own - 1 - held)
  bytes[own] = (bytes[own] as number) - 2 * more // the file keeps its length
  const rest = [bytes.subarray(own - 1, pageEnd - more), bytes.subarray(pageEnd)]
  writeFileSync(file, Buffer.concat([bytes.subarray(0, held), most, ...rest]))
  await expect(collect(file)).rejects.toThrow('the row group has more than 1 GiB once it is unpacked')
})

test('rows of nothing, which take no byte, are refused above a number', async () => {
  const file = join(folder, 'nulls.parquet')
  const count = 2 ** 23 + 1
  const data = new Array(count).fill(null)
  parquetWriteFile({
    filename: file,
    rowGroupSize: count,
    pageSize: 1e9,
    columnData: [{ name: 'a', data, type: 'STRING', nullable: true }],
  })
  expect(readFileSync(file).length).toBeLessThan(1_000)
  await expect(collect(file)).rejects.toThrow('the row group has more than 8388608 rows')
})

test('a second broken column, which no one waits for any more, ends no process', async () => {
  const file = write('ZSTD', makeRows(300))
  const bytes = readFileSync(file)
  bytes.fill(0xff, 40, 80) // in the first column
  bytes.write('rationale', bytes.lastIndexOf('Rationale')) // the way to the last
  writeFileSync(file, bytes)
  await expect(collect(file)).rejects.toThrow(
    'ZSTD.parquet: cannot be read as Parquet: rows 1 to 300: parquet schema element not found',
  )
})

test('a page without a size, at which the decoder goes round for ever, costs a limited time', async () => {
  const file = write('BROTLI', makeRows(300))
  const bytes = readFileSync(file)
  const [, own, next] = sizesOfPage(bytes, 4)
  bytes[own - 1] = 0x25 // the size is now the field after it
  bytes[next] = (bytes[next] as number) - 0x10
  writeFileSync(file, bytes)
  const limits = { processorMs: 300, memoryBytes: 2 ** 31 }
  await expect(collect(file, {}, limits)).rejects.toThrow(
    /rows 1 to 300: takes more than \d+ ms of the processor's time/,
  )
})

test('rows that take too much memory cost no more than that', async () => {
  const file = join(folder, 'many-nulls.parquet')
  const data = new Array(2 ** 21).fill(null)
  const columnData = [{ name: 'a', data, type: 'STRING', nullable: true }]
  parquetWriteFile({ filename: file, rowGroupSize: data.length, pageSize: 1e9, columnData } as never)
  const limits = { processorMs: 60_000, memoryBytes: 2 ** 27 }
  await expect(collect(file, {}, limits)).rejects.toThrow('takes more than 128 MiB of memory')
})

test('a few random bytes of a file are rows, or an error with its name', async () => {
  const file = join(folder, 'mutated.parquet')
  writeParquet(file, 'SNAPPY', makeRows(40, 100), { rowGroupSize: 20, pageSize: 500 })
  const ends: string[] = []
  for (const bytes of mutate(readFileSync(file), 8, 11)) {
    writeFileSync(file, bytes)
    ends.push(await collect(file).then((rows) => `${rows.length} rows`, String))
  }
  expect(ends.filter((end) => !/^(\d+ rows|FileError: \S+mutated\.parquet: .*Parquet)/.test(end))).toEqual([])
  expect(ends).toContain('40 rows')
  expect(ends.some((end) => end.startsWith('FileError'))).toBe(true)
})
