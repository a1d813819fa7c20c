/**
 * Gives a row of each form to each command that reads rows, and writes the table of it into docs/data.md, between its marks.
 *   node docs/make-forms.ts
 */
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { readForms, renderTable, tryAll } from '../test/forms/table.ts'

const page = path.join(import.meta.dirname, 'data.md')
const marks = /(<!-- forms: node docs\/make-forms.ts -->\n)[\s\S]*(<!-- \/forms -->)/

/** A page with this table. */
export function insertForms(text: string, table: string): string {
  return text.replace(marks, (_, start: string, end: string) => `${start}${table}${end}`)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const table = renderTable(await tryAll(readForms()))
  writeFileSync(page, insertForms(readFileSync(page, 'utf8'), table))
}
