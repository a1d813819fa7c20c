/**
 * Writes docs/results.md, and the table of "Does it help?" in README.md, from the raw output in bench/results/.
 *   node bench/results-page.ts
 */
import fs from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { sections } from './results-page/evaluation.ts'
import { speedTables } from './results-page/speed.ts'
import type { Saved } from './results-page/speed-table.ts'
import { drawSummary } from './results-page/summary.ts'
import { intro } from './results-page/text.ts'

const root = path.join(import.meta.dirname, '..')
const folder = path.join(import.meta.dirname, 'results')

const START = '<!-- summary: node bench/results-page.ts -->\n'
const END = '<!-- /summary -->'

/** The whole of docs/results.md. */
export function renderResults(): string {
  const records = fs
    .readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file): [string, Saved] => [file, readResult(file)])
  const evaluations = sections.flatMap(([title, pattern, tell]) => {
    const found = records.filter(([file]) => pattern.test(file))
    if (found.length === 0) return []
    return [
      `## ${title}\n`,
      ...found.map(([file, saved]) => `${tell(saved as never)}\n\n${describeSource(file, saved)}\n`),
    ]
  })
  const speeds = records.flatMap(([file, saved]) => {
    const table = speedTables.find(({ pattern }) => pattern.test(file))
    return table
      ? [`### ${table.title(file)}\n`, `${table.draw(saved)}\n\n${describeSource(file, saved)}\n`]
      : []
  })
  return [intro, ...evaluations, '## Speed\n', ...speeds].join('\n')
}

/** The README with its summary in place. */
export function insertSummary(text: string): string {
  const [before = '', rest = ''] = text.split(START)
  return `${before}${START}${drawSummary(readResult)}\n${END}${rest.split(END)[1] ?? ''}`
}

function readResult<T>(file: string): T {
  return JSON.parse(fs.readFileSync(path.join(folder, file), 'utf8'))
}

function describeSource(file: string, { command, machine }: Saved): string {
  return `Made by [\`${command}\`](../bench/results/${file}): commit ${machine.commit}, ${machine.cores} cores, load ${machine.loadBefore}.`
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const readme = path.join(root, 'README.md')
  fs.writeFileSync(path.join(root, 'docs/results.md'), renderResults())
  fs.writeFileSync(readme, insertSummary(fs.readFileSync(readme, 'utf8')))
}
