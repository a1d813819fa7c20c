/**
 * Writes README's tables of results from bench/results/, so that no figure stands there without its raw output.
 *   node bench/readme.ts
 */
import fs from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { sections } from './results-page/evaluation.ts'
import { type Saved, speedLines } from './results-page/speed.ts'

const readme = path.join(import.meta.dirname, '../README.md')
const START = '<!-- results: node bench/readme.ts -->\n'
const END = '<!-- /results -->'

/** All tables, or nothing where there are no results. */
export function renderResults(folder = path.join(import.meta.dirname, 'results')): string {
  const files = fs.existsSync(folder) ? fs.readdirSync(folder).filter((file) => file.endsWith('.json')) : []
  const records = files
    .sort()
    .map((file): [string, Saved] => [file, JSON.parse(fs.readFileSync(path.join(folder, file), 'utf8'))])
  const rows = records.flatMap(([file, saved]) => {
    const tell = speedLines.find(([pattern]) => pattern.test(file))?.[1]
    return (tell?.(saved as never) ?? []).map(
      ([what, figure], i) => `| ${what} | ${figure} | ${i === 0 ? describeSource(file, saved) : ''} |`,
    )
  })
  const speeds = [
    '### Speed\n',
    '| what | figure | command, commit, machine |',
    '| --- | --- | --- |',
    ...rows,
    '',
  ]
  const others = sections.flatMap(([title, pattern, tell]) => {
    const found = records.filter(([file]) => pattern.test(file))
    if (found.length === 0) return []
    return [
      `### ${title}\n`,
      ...found.map(([file, saved]) => `${tell(saved as never)}\n\n${describeSource(file, saved)}\n`),
    ]
  })
  return [...(rows.length > 0 ? speeds : []), ...others].join('\n')
}

function describeSource(file: string, { command, machine }: Saved): string {
  return `[\`${command}\`](bench/results/${file}), ${machine.commit}, ${machine.cores} cores, load ${machine.loadBefore}`
}

/** The README with the tables in their place. */
export function insertResults(text: string): string {
  const [before = '', rest = ''] = text.split(START)
  return `${before}${START}${renderResults()}${END}${rest.split(END)[1] ?? ''}`
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  fs.writeFileSync(readme, insertResults(fs.readFileSync(readme, 'utf8')))
}
