/**
 * Writes the tables of options and of engine settings into docs/cli.md, between their marks.
 *   node docs/make-options.ts
 */
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { flagName } from '../src/apps/cli/plan-flags.ts'
import { type EngineOptionSpec, engineOptions } from '../src/engines/engine-options.ts'
import { describeKind, type OptionKind } from '../src/plans/option-kinds.ts'
import { type OptionSpec, type OptionTable, planOptions } from '../src/plans/options.ts'

const page = path.join(import.meta.dirname, 'cli.md')
const marks = (name: string) =>
  new RegExp(`(<!-- ${name}: node docs/make-options.ts -->\n)[\\s\\S]*(<!-- /${name} -->)`)

/** The options as tables in Markdown, one per group. */
export function renderOptions(table: OptionTable = planOptions): string {
  const groups = Map.groupBy(Object.entries(table), ([, { group }]) => group)
  return [...groups].map(([group, rows]) => renderGroup(group, rows)).join('\n')
}

/** The settings of engines as a table in Markdown. */
export function renderSettings(table: Record<string, EngineOptionSpec> = engineOptions): string {
  const lines = Object.entries(table).map(([name, { help, kind, hasNoFlag, ...spec }]) => {
    const flag = hasNoFlag ? '' : `\`${flagName(name)}\``
    return `| \`${name}\` | ${flag} | ${help} | ${describeKind(kind)} | ${spec.defaultText ?? ''} |\n`
  })
  return `| setting | flag | what it is | takes | default |\n| --- | --- | --- | --- | --- |\n${lines.join('')}`
}

/** A page with the tables of now. */
export function insertOptions(text: string): string {
  const parts = { options: renderOptions(), settings: renderSettings() }
  return Object.entries(parts).reduce(
    (page, [name, part]) =>
      page.replace(marks(name), (_, start: string, end: string) => `${start}${part}${end}`),
    text,
  )
}

/** Where options are that not every command has. */
const commandsOf = {
  'loops of requests': 'only `serve` and the AI SDK',
  'single prompts': 'only `ask` and `run`',
}

function renderGroup(group: string, rows: [string, OptionSpec][]): string {
  const lines = rows.map(([name, { help, kind, strategies, ...spec }]) => {
    const standard = spec.defaultText ?? spec.default
    const uses = [...(strategies ?? []), ...(spec.only ? [commandsOf[spec.only]] : [])]
    const only = uses.length > 0 ? ` (${uses.join(', ')})` : ''
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
    case 'panel':
      return '`turn`, `step`, `every:N`'
    case 'schema':
      return 'a file'
    default:
      return describeKind(kind)
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  writeFileSync(page, insertOptions(readFileSync(page, 'utf8')))
}
