/** Parquet files for tests: written, and spoiled. */
import { brotliCompressSync, constants, gzipSync, zstdCompressSync } from 'node:zlib'
import { parquetWriteFile } from 'hyparquet-writer'
import { randomFrom } from '../../lib/random.ts'

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
const flat = [text('instruction'), { name: 'number', type: 'DOUBLE', repetition_type: 'REQUIRED' }]
const nested = [
  ...flat,
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

/** Lists of none to four, texts of up to `length` characters, nothing here and there. */
export function makeRows(count: number, length = 750) {
  const random = randomFrom(7)
  const some = () =>
    random() < 0.1 ? null : 'añ✓ '.repeat(Math.floor((random() ** 4 * length) / 5)) + random()
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

/** What is written, if it is not as usual. */
interface Form {
  rowGroupSize?: number
  pageSize?: number
  /** Without the column of lists. */
  isFlat?: boolean
}

/** Writes rows with a codec. */
export function writeParquet(
  filename: string,
  codec: string,
  rows: ReturnType<typeof makeRows>,
  { rowGroupSize = 300, pageSize = 4_000, isFlat = false }: Form = {},
): void {
  const names = isFlat ? ['instruction', 'number'] : ['instruction', 'number', 'completions']
  parquetWriteFile({
    filename,
    codec,
    rowGroupSize,
    pageSize,
    schema: [{ name: 'root', num_children: names.length }, ...(isFlat ? flat : nested)],
    compressors: {
      BROTLI: (bytes: Uint8Array) =>
        brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }),
      GZIP: (bytes: Uint8Array) => gzipSync(bytes),
      ZSTD: (bytes: Uint8Array) => zstdCompressSync(bytes),
    },
    columnData: names.map((name) => ({ name, data: rows.map((row) => row[name as keyof typeof row]) })),
  } as never)
}

/** Copies of a file, each with one to three other bytes at random places. */
export function* mutate(bytes: Buffer, count: number, seed: number): Generator<Buffer> {
  const random = randomFrom(seed)
  for (let i = 0; i < count; i++) {
    const copy = Buffer.from(bytes)
    for (let edits = 1 + Math.floor(3 * random()); edits > 0; edits--) {
      const at = Math.floor(random() * copy.length)
      copy[at] = Math.floor(256 * random())
    }
    yield copy
  }
}
