/**
 * Gives a row of each form of `rows/` to each command that reads rows, and prints the table of it and what failed.
 *   node test/forms/table.ts
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { commands, type Seen } from './commands.ts'

/** A form, with a row of it and what the row means. */
export interface FormFile extends Partial<Seen> {
  name: string
  /** The fields, for people. */
  fields: string
  row: Record<string, unknown>
}

/** A form, and what came of each command. */
export interface Row {
  form: FormFile
  cells: Record<string, string>
  faults: Record<string, unknown>
}

/** All forms, in order of their files. */
export function readForms(): FormFile[] {
  const folder = path.join(import.meta.dirname, 'rows')
  const names = readdirSync(folder).map((file) => path.basename(file, '.json'))
  return names.sort().map((name) => JSON.parse(readFileSync(path.join(folder, `${name}.json`), 'utf8')))
}

/** Why a command may refuse a form, by its words, and the cell that says it. */
const REFUSALS: [RegExp, string][] = [
  [/rows\.jsonl:1: expected several answers per row, .*`aft data propose`/, 'too few answers'],
  [
    /rows\.jsonl:1: expected a question, which results of a batch do not have: give its requests/,
    'no question',
  ],
  [/rows\.jsonl:1: expected a question; `text` alone is for language modeling/, 'no question'],
  [/rows\.jsonl:1: expected whole answers; these `completions` are the steps of one/, 'steps'],
  [/rows\.jsonl:1: expected `answer` to end in "#### N"/, 'no right answer'],
]

/** Gives each form to each command. */
export async function tryAll(forms: FormFile[]): Promise<Row[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'forms-'))
  try {
    const rows: Row[] = []
    for (const [i, form] of forms.entries()) rows.push(await tryOne(form, path.join(folder, String(i))))
    return rows
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function tryOne(form: FormFile, folder: string): Promise<Row> {
  mkdirSync(folder)
  writeFileSync(path.join(folder, 'rows.jsonl'), `${JSON.stringify(form.row)}\n`)
  const row: Row = { form, cells: {}, faults: {} }
  for (const [name, read] of Object.entries(commands)) {
    try {
      const seen = await read(folder, 'rows.jsonl')
      const expected: Record<string, unknown> = { ...form }
      const wrong = Object.entries(seen).find(([field, value]) => !isDeepStrictEqual(value, expected[field]))
      if (wrong) throw new Error(`${wrong[0]}: ${JSON.stringify(wrong[1])}`)
      row.cells[name] = '✓'
    } catch (error) {
      const why = REFUSALS.find(([pattern]) => pattern.test((error as Error).message))
      row.cells[name] = why?.[1] ?? 'FAILS'
      if (!why) row.faults[name] = error
    }
  }
  return row
}

/** The table in Markdown. */
export function renderTable(rows: Row[]): string {
  const heads = ['rows of', 'with the fields', ...Object.keys(commands)]
  const lines = rows.map(
    ({ form, cells }) => `| ${[form.name, `\`${form.fields}\``, ...Object.values(cells)].join(' | ')} |\n`,
  )
  return `| ${heads.join(' | ')} |\n|${' --- |'.repeat(heads.length)}\n${lines.join('')}`
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const rows = await tryAll(readForms())
  console.log(renderTable(rows))
  for (const { form, faults } of rows) {
    for (const [name, error] of Object.entries(faults)) console.error(`${form.name}, ${name}: ${error}`)
    if (Object.keys(faults).length > 0) process.exitCode = 1
  }
}
