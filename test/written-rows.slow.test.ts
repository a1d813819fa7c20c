/** Files that pandas, polars, DuckDB, pyarrow and fastparquet write have the rows of the JSON lines that they were made from. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { responses } from '../src/data/sources/responses.ts'
import { readPrompts } from '../src/files/prompts.ts'
import { readRecords } from '../src/files/rows/read-records.ts'
import { installPython } from './peers/python.ts'

const packages = [
  'pandas==3.1.1',
  'polars==2.1.0',
  'duckdb==2.0.1',
  'pyarrow==26.0.1',
  'fastparquet==2026.9.0',
]
const script = path.join(import.meta.dirname, 'peers/write_rows.py')
const folder = mkdtempSync(path.join(tmpdir(), 'written-'))
let python: string
beforeAll(() => {
  python = installPython(packages)
  execFileSync(python, ['-W', 'ignore', script, folder], { stdio: ['ignore', 'ignore', 'inherit'] })
})
afterAll(() => rmSync(folder, { recursive: true }))

/** The rows of a file as `data build` and `run` read them. */
async function read(name: string) {
  const file = path.join(folder, name)
  const rows = []
  for await (const row of responses.read(readRecords([file]))) rows.push(row)
  const asked = []
  for await (const { id, messages } of readPrompts(file)) asked.push({ id, messages })
  return { rows, asked }
}

test.each(['nested', 'flat'])('%s rows', async (kind) => {
  const expected = await read(`${kind}.jsonl`)
  expect(expected.rows.filter((row) => 'problem' in row)).toEqual([])
  expect(expected.rows).toHaveLength(12)
  const names = readdirSync(folder).filter((name) => name.startsWith(`${kind}.`) && name !== `${kind}.jsonl`)
  expect(names.length).toBeGreaterThan(kind === 'flat' ? 40 : 30)
  const wrong: Record<string, unknown> = {}
  for (const name of names) {
    try {
      expect(await read(name)).toEqual(expected)
    } catch (error) {
      wrong[name] = (error as Error).message.slice(0, 1_500)
    }
  }
  expect(wrong).toEqual({})
})
