/** Every kind of server in every situation; the page about models shows what came. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { insertKinds } from '../../docs/make-kinds.ts'
import { situations } from './situations.ts'
import { type Row, readDialects, renderTable, tryAll } from './table.ts'

const dialects = await readDialects()
const rows: Promise<Row[]> = tryAll(dialects)
const heads = Object.keys(situations)

test.each(dialects.map(({ name }) => name))(
  '%s works in every situation',
  { timeout: 240_000 },
  async (name) => {
    const row = (await rows).find((one) => one.name === name)
    for (const [situation, error] of Object.entries(row?.faults ?? {})) {
      throw new Error(`${situation}: ${error instanceof Error ? error.message : error}`, { cause: error })
    }
    expect(Object.keys(row?.cells ?? {}).sort()).toEqual([...heads].sort())
  },
)

test('no two servers have the same name', () => {
  expect(new Set(dialects.map(({ name }) => name)).size).toBe(dialects.length)
  expect(dialects.length).toBeGreaterThan(30)
})

test('docs/models.md shows the table; otherwise: node docs/make-kinds.ts', {
  timeout: 240_000,
}, async () => {
  const page = readFileSync(path.join(import.meta.dirname, '../../docs/models.md'), 'utf8')
  expect(page).toBe(insertKinds(page, renderTable(await rows)))
  expect(page).toContain(renderTable(await rows))
})

test('a fault of a situation is a cell and an error of the row', async () => {
  const [dialect] = dialects
  const broken = { ...(dialect as (typeof dialects)[number]), deltas: () => [{ content: 'something else' }] }
  const [row] = await tryAll([broken])
  expect(row?.cells.plain).toBe('FAILS')
  expect(Object.keys(row?.faults ?? {})).toContain('plain')
})
