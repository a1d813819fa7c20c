import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { parquetWriteFile } from 'hyparquet-writer'
import { afterAll, expect, test } from 'vitest'
import { randomFrom } from '../../lib/random.ts'
import { readParquet, type Wanted } from './read-parquet.ts'

const folder = mkdtempSync(join(tmpdir(), 'parquet-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const group = (name: string, num_children: number, more: object = {}) => ({
  name,
  num_children,
  repetition_type: 'OPTIONAL',
  ...more,
})
const text = (name: string) => ({
  name,
  type: 'BYTE_ARRAY',
  converted_type: 'UTF8',
  repetition_type: 'OPTIONAL',
})
const schema = [
  { name: 'root', num_children: 3 },
  text('instruction'),
  { name: 'number', type: 'DOUBLE', repetition_type: 'REQUIRED' },
  group('completions', 1, { converted_type: 'LIST' }),
  group('list', 1, { repetition_type: 'REPEATED' }),
  group('element', 3),
  text('response'),
  text('critique'),
  group('annotations', 1),
  group('honesty', 2),
  text('Rating'),
  text('Rationale'),
]

/** Lists of none to four, texts of up to some hundred characters, nothing here and there. */
function makeRows(count: number) {
  const random = randomFrom(7)
  const some = () => (random() < 0.1 ? null : 'añ✓ '.repeat(Math.floor(random() ** 4 * 150)) + random())
  const completion = () => ({
    response: some(),
    critique: some(),
    annotations:
      random() < 0.1 ? null : { honesty: { Rating: String(Math.floor(5 * random())), Rationale: some() } },
  })
  const completions = () =>
    random() < 0.05 ? null : Array.from({ length: Math.floor(5 * random()) }, completion)
  return Array.from({ length: count }, () => ({
    instruction: some(),
    number: random(),
    completions: completions(),
  }))
}

function write(codec: string, rows: ReturnType<typeof makeRows>): string {
  const filename = join(folder, `${codec}.parquet`)
  parquetWriteFile({
    filename,
    codec,
    rowGroupSize: 300,
    pageSize: 4_000,
    schema,
    compressors: {
      GZIP: (bytes: Uint8Array) => gzipSync(bytes),
      ZSTD: (bytes: Uint8Array) => zstdCompressSync(bytes),
    },
    columnData: ['instruction', 'number', 'completions'].map((name) => ({
      name,
      data: rows.map((row) => row[name as keyof typeof row]),
    })),
  } as never)
  return filename
}

async function collect(file: string, wanted?: Wanted) {
  const values: unknown[] = []
  for await (const { value, line } of readParquet(file, wanted)) {
    expect(line).toBe(values.length + 1)
    values.push(value)
  }
  return values
}

test.each(['UNCOMPRESSED', 'SNAPPY', 'GZIP', 'ZSTD'])(
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
  // The page begins with its type, the size of what it holds, and its own: numbers of 7 bits a byte, as Thrift writes them.
  const endOf = (from: number) => from + 1 + bytes.subarray(from).findIndex((byte) => byte < 0x80)
  const [held, own] = [7, endOf(7) + 1]
  expect([bytes[4], bytes[held - 1], bytes[own - 1]]).toEqual([0x15, 0x15, 0x15])
  const most = Buffer.from([0xfe, 0xff, 0xff, 0xff, 0x0f]) // 2 ** 31 - 1
  const more = most.length - (own - 1 - held)
  bytes[own] = (bytes[own] as number) - 2 * more // the file keeps its length
  const rest = [bytes.subarray(own - 1, pageEnd - more), bytes.subarray(pageEnd)]
  writeFileSync(file, Buffer.concat([bytes.subarray(0, held), most, ...rest]))
  await expect(collect(file)).rejects.toThrow('a row group has more than 1 GiB once it is unpacked')
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
  await expect(collect(file)).rejects.toThrow('a row group has more than 8388608 rows')
})
