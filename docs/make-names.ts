/**
 * Writes the tables of names into docs/models.md, between its marks.
 *   node docs/make-names.ts
 */
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { type NamedServer, namedServers, type Provider, providers } from '../src/engines/named/table.ts'

const page = path.join(import.meta.dirname, 'models.md')
const marks = /(<!-- names: node docs\/make-names.ts -->\n)[\s\S]*(<!-- \/names -->)/

/** A page with the tables of now. */
export function insertNames(text: string): string {
  const tables = `${renderServers()}\n${renderProviders()}`
  return text.replace(marks, (_, start: string, end: string) => `${start}${tables}${end}`)
}

function renderServers(): string {
  const rows = Object.entries(namedServers).map(
    ([name, server]) =>
      `| \`${name}:${server.example}\` | ${server.about} | \`${server.address}\` | ${addressVariables(server)} | ${code(server.keyIn)} |\n`,
  )
  return `| name | server | asked at | another address in | key in |\n| --- | --- | --- | --- | --- |\n${rows.join('')}`
}

function addressVariables({ addressIn = [], portIn }: NamedServer): string {
  return code(portIn ? [...addressIn, portIn] : addressIn)
}

function renderProviders(): string {
  const rows = Object.entries(providers).map(
    ([name, provider]) =>
      `| \`${name}:${provider.example}\` | ${provider.about} | \`npm install ${provider.package}\` | ${needs(provider)} |\n`,
  )
  return `| name | provider | package | needs |\n| --- | --- | --- | --- |\n${rows.join('')}`
}

/** The variables of one way, then the next. */
function needs(provider: Provider): string {
  return provider.needs
    .map((set) => Object.values(set).map((names) => code(names, ' or ')))
    .map((names) => names.join(' and '))
    .join('; or ')
}

function code(names: readonly string[] = [], separator = ', '): string {
  return names.map((name) => `\`${name}\``).join(separator)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  writeFileSync(page, insertNames(readFileSync(page, 'utf8')))
}
