/**
 * Tries every server of `servers/` in every situation, and prints the table of it and what failed.
 *   node test/dialects/table.ts
 */
import { readdirSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Dialect } from './dialect.ts'
import { startLoopback } from './loopback.ts'
import { type Outcome, situations } from './situations.ts'

/** A server, and what came of each situation. */
export interface Row {
  name: string
  cells: Record<string, string>
  /** What was left out or rewritten in any situation, each once. */
  warnings: string[]
  /** What went wrong, by situation. */
  faults: Record<string, unknown>
}

/** All dialects, by name. */
export async function readDialects(): Promise<Dialect[]> {
  const folder = path.join(import.meta.dirname, 'servers')
  const files = readdirSync(folder).filter((file) => file.endsWith('.ts'))
  const modules = await Promise.all(files.map((file) => import(pathToFileURL(path.join(folder, file)).href)))
  const dialects = modules.map(({ dialect }) => dialect as Dialect)
  return dialects.sort((a, b) => a.name.localeCompare(b.name, 'en'))
}

/** Tries all dialects in all situations. */
export async function tryAll(dialects: Dialect[]): Promise<Row[]> {
  const loopback = await startLoopback()
  try {
    return await Promise.all(dialects.map((dialect) => tryOne(dialect, loopback.open)))
  } finally {
    await loopback.close()
  }
}

async function tryOne(
  dialect: Dialect,
  open: Awaited<ReturnType<typeof startLoopback>>['open'],
): Promise<Row> {
  const row: Row = { name: dialect.name, cells: {}, warnings: [], faults: {} }
  const bench = { dialect, open: open.bind(undefined, dialect) }
  const outcomes = await Promise.all(
    Object.entries(situations).map(async ([name, run]): Promise<[string, Outcome]> => {
      const failed = (error: unknown) => {
        row.faults[name] = error
        return { cell: 'FAILS', warnings: [] }
      }
      return [name, await run(bench).catch(failed)]
    }),
  )
  for (const [name, { cell }] of outcomes) row.cells[name] = cell
  row.warnings = [...new Set(outcomes.flatMap(([, { warnings }]) => warnings.map(shorten)))].filter(Boolean)
  return row
}

const inShort: [RegExp, string][] = [
  [/refuses (`\w+`), so it is left out/, 'without $1'],
  [/limit is sent as (`\w+`)/, 'limit as $1'],
  // The column of `n` says it.
  [/fewer completions per request/, ''],
  [/blank system message/, 'no blank system message'],
  [/refuses system messages/, 'system text in the first user turn'],
  [/at the head only/, 'system messages at the head'],
  [/one role in a row/, 'turns of one role joined'],
  [/turns of tools in a request without tools/, 'calls and results as text if there are no tools'],
  [/user right after a tool/, 'text after a tool within its result'],
  [/ids of calls/, 'shorter ids of calls'],
  [/names of those/, 'names in the text'],
  [/its signature/, 'a mark in place of a signature'],
  [/reasoning back/, 'reasoning sent back'],
  [/this response format/, 'the schema in words'],
]

/** A warning in the few words that a table has place for. */
function shorten(warning: string): string {
  for (const [pattern, text] of inShort) {
    const match = pattern.exec(warning)
    if (match) return text.replace('$1', match[1] ?? '')
  }
  return warning
}

/** The table in Markdown. */
export function renderTable(rows: Row[]): string {
  const heads = Object.keys(situations)
  const lines = rows.map(({ name, cells, warnings }) => {
    const marked = heads.map((head) => (cells[head] === 'ok' ? '✓' : cells[head]))
    return `| ${[name, ...marked, warnings.join('; ')].join(' | ')} |\n`
  })
  const head = `| ${['server', ...heads, 'sent in another way'].join(' | ')} |\n`
  return `${head}|${' --- |'.repeat(heads.length + 2)}\n${lines.join('')}`
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const rows = await tryAll(await readDialects())
  console.log(renderTable(rows))
  for (const { name, faults } of rows) {
    for (const [situation, error] of Object.entries(faults)) console.error(`${name}, ${situation}:`, error)
    if (Object.keys(faults).length > 0) process.exitCode = 1
  }
}
