/**
 * Writes the table of options into docs/cli.md, between its marks.
 *   node docs/make-options.ts
 */
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { flagName } from '../src/apps/cli/plan-flags.ts'
import type { OptionKind } from '../src/plans/option-kinds.ts'
import { type OptionSpec, type OptionTable, planOptions } from '../src/plans/options.ts'

const page = path.join(import.meta.dirname, 'cli.md')
const marks = /(<!-- options: node docs\/make-options.ts -->\n)[\s\S]*(<!-- \/options -->)/

/** The options as tables in Markdown, one per group. */
export function renderOptions(table: OptionTable = planOptions): string {
  const groups = Map.groupBy(Object.entries(table), ([, { group }]) => group)
  return [...groups].map(([group, rows]) => renderGroup(group, rows)).join('\n')
}

/** A page with the tables of now. */
export function insertOptions(text: string): string {
  return text.replace(marks, (_, start: string, end: string) => `${start}${renderOptions()}${end}`)
}

function renderGroup(group: string, rows: [string, OptionSpec][]): string {
  const lines = rows.map(([name, { help, kind, strategies, ...spec }]) => {
    const standard = spec.defaultText ?? spec.default
    const only = strategies ? ` (${strategies.join(', ')})` : ''
    return `| \`${flagName(name)}\` | ${help}${only} | ${shorten(kind)} | ${standard} |\n`
  })
  return `### ${group}\n\n| flag | what it does | takes | default |\n| --- | --- | --- | --- |\n${lines.join('')}`
}

function shorten(kind: OptionKind): string {
  switch (kind.type) {
    case 'whole':
      return `from ${kind.from}`
    case 'number':
      return `${kind.from} to ${kind.to}`
    case 'choice':
      return kind.of.map((choice) => `\`${choice}\``).join(', ')
    case 'switch':
      return 'nothing'
    case 'engine':
      return 'an engine'
    case 'engines':
      return 'engines'
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  writeFileSync(page, insertOptions(readFileSync(page, 'utf8')))
}
