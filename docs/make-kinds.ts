/**
 * Tries the kinds of servers in all situations, and writes the table of it into docs/models.md, between its marks.
 *   node docs/make-kinds.ts
 */
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { readDialects, renderTable, tryAll } from '../test/dialects/table.ts'

const page = path.join(import.meta.dirname, 'models.md')
const marks = /(<!-- kinds: node docs\/make-kinds.ts -->\n)[\s\S]*(<!-- \/kinds -->)/

/** A page with this table. */
export function insertKinds(text: string, table: string): string {
  return text.replace(marks, (_, start: string, end: string) => `${start}${table}${end}`)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const table = renderTable(await tryAll(await readDialects()))
  writeFileSync(page, insertKinds(readFileSync(page, 'utf8'), table))
}
