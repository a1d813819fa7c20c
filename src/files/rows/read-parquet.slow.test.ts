/** Forged Parquet files in numbers, and what the commands make of them. */

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { aft } from '../../../test/command-line.ts'
import { makeRows, mutate, writeParquet } from './read-parquet.fixture.ts'
import { readParquet } from './read-parquet.ts'

const folder = mkdtempSync(join(tmpdir(), 'parquet-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

enableCompileCache(join(folder, 'cache')) // the processes start in half of the time
const LIMITS = { processorMs: 2_000, memoryBytes: 2 ** 30 }

/** Reads a file, and says how that ended. */
async function readToEnd(file: string): Promise<string> {
  let rows = 0
  try {
    for await (const _ of readParquet(file, {}, LIMITS)) rows++
    return `${rows} rows`
  } catch (error) {
    return String(error)
  }
}

describe.each([true, false])('without lists: %s', (isFlat) => {
  test.each(['UNCOMPRESSED', 'SNAPPY', 'ZSTD', 'GZIP'])(
    'of 200 mutations with %s, each gives rows or a clear error in a limited time',
    async (codec) => {
      const name = `${codec}-${isFlat}`
      const file = join(folder, `${name}.parquet`)
      writeParquet(file, codec, makeRows(120, 75), { rowGroupSize: 50, pageSize: 1_000, isFlat })
      const ends: string[] = []
      const copies = mutate(readFileSync(file), 200, 11)
      const readers = [0, 1, 2].map(async (place) => {
        const own = join(folder, `${name}-${place}.parquet`)
        for (const bytes of copies) {
          writeFileSync(own, bytes)
          ends.push(await readToEnd(own))
        }
      })
      await Promise.all(readers)
      expect(ends).toHaveLength(200)
      const clear = new RegExp(
        `^(\\d+ rows|FileError: \\S+${name}-\\d\\.parquet: (expected a Parquet file|cannot be read as Parquet: (the end of the file|rows \\d+ to \\d+)): .)`,
      )
      expect(ends.filter((end) => !clear.test(end))).toEqual([])
      expect(ends.filter((end) => end.includes('takes more than')).length).toBeLessThan(20)
      expect(ends.filter((end) => end === '120 rows').length).toBeGreaterThan(10)
    },
  )
})

test('a command refuses a broken file by its name, with code 1, and leaves nothing behind', async () => {
  const file = join(folder, 'rows.parquet')
  writeParquet(file, 'ZSTD', makeRows(300))
  const bytes = readFileSync(file)
  bytes.fill(0xff, 40, 80)
  bytes.write('rationale', bytes.lastIndexOf('Rationale'))
  writeFileSync(file, bytes)
  const out = join(folder, 'out')
  const before = readdirSync(folder)
  const { code, stderr } = await aft([
    'data',
    'build',
    file,
    '--format',
    'responses',
    '--target',
    'gold',
    '-o',
    out,
  ])
  expect(stderr).toContain('rows.parquet: cannot be read as Parquet: rows 1 to 300: ')
  expect(stderr).not.toContain('    at ')
  expect(code).toBe(1)
  expect(existsSync(out)).toBe(false)
  expect(readdirSync(folder)).toEqual(before)
})
