/**
 * Is this checkout slower than another one? Runs one bench in both, in turn, and prints the ratio of each figure per pair
 * of runs: if the machine gets slower, it slows both runs of a pair.
 *
 *   npm run bench -- beside --other ../before --bench overhead --pairs 5 --show 'cpuMs|wallMs'
 *   npm run bench -- beside --other ../before --bench overhead -- --prompts 500      flags of the bench
 */
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { printTable, saveResults, showSpread, spreadOf } from './table.ts'

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    other: { type: 'string' },
    bench: { type: 'string' },
    pairs: { type: 'string', default: '3' },
    /** Name of the bench's raw output, if it is not the bench's own. */
    raw: { type: 'string' },
    show: { type: 'string', default: '' },
  },
})
const { other, bench } = flags
if (!other || !bench) throw new Error('expected --other FOLDER (a checkout after npm ci) and --bench NAME')

const root = path.join(import.meta.dirname, '..')
type Figures = Record<string, number>

/** The bench's figures by their place in its raw output. Restores the output of earlier runs. */
function measure(checkout: string): Figures {
  const file = path.join(checkout, 'bench/results', `${flags.raw ?? bench}.json`)
  const earlier = fs.existsSync(file) ? fs.readFileSync(file) : undefined
  const node = path.join(checkout, 'node_modules/.bin/node')
  try {
    execFileSync(node, ['bench/run.ts', bench as string, ...positionals], { cwd: checkout, stdio: 'ignore' })
    const { machine, ...data } = JSON.parse(fs.readFileSync(file, 'utf8'))
    return flatten(data)
  } finally {
    if (earlier) fs.writeFileSync(file, earlier)
    else fs.rmSync(file, { force: true })
  }
}

function flatten(value: unknown, place = ''): Figures {
  if (typeof value === 'number') return { [place]: value }
  if (value === null || typeof value !== 'object') return {}
  return Object.assign(
    {},
    ...Object.entries(value).map(([key, part]) => flatten(part, place ? `${place}.${key}` : key)),
  )
}

const pairs: { here: Figures; there: Figures }[] = []
for (let i = 0; i < Number(flags.pairs); i++) {
  // Each side goes first in half of the pairs.
  const first = i % 2 === 0 ? measure(other) : measure(root)
  const second = i % 2 === 0 ? measure(root) : measure(other)
  pairs.push(i % 2 === 0 ? { here: second, there: first } : { here: first, there: second })
  console.error(`pair ${i + 1} of ${flags.pairs}`)
}

const places = Object.keys(pairs[0]?.here ?? {}).filter((place) => new RegExp(flags.show).test(place))
const rows = places
  .filter((place) => pairs.every(({ here, there }) => place in here && (there[place] ?? 0) !== 0))
  .map((place) => {
    const here = pairs.map((pair) => pair.here[place] as number)
    const there = pairs.map((pair) => pair.there[place] as number)
    const ratios = here.map((value, i) => value / (there[i] as number))
    return { place, here: spreadOf(here), there: spreadOf(there), ratio: spreadOf(ratios), ratios }
  })
printTable(
  ['figure', 'here', 'other', 'here / other'],
  rows.map(({ place, here, there, ratios }) => [
    place,
    here.median.toPrecision(4),
    there.median.toPrecision(4),
    showSpread(ratios),
  ]),
)
const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: other, encoding: 'utf8' }).trim()
const command = `npm run bench -- beside --bench ${bench} --pairs ${flags.pairs} -- ${positionals.join(' ')}`
saveResults(`beside-${bench}`, command.trim(), {
  otherCommit: commit,
  pairs,
  figures: rows.map(({ ratios, ...row }) => row),
})
