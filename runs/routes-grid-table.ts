/**
 * The table of `runs/routes-grid.sh`: the share of right answers by width and depth, with what the drafts of each width have
 * by themselves, then with drafts in reverse order and of another model. Intervals of 95 % draw seeds and questions.
 *   node runs/routes-grid-table.ts OUT SEED [SEED ...]   also writes OUT/grid.json; with --save NAME into bench/results, with
 *                                                        the text of every answer
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { saveResults } from '../bench/table.ts'
import { puzzles } from '../src/eval/puzzles.ts'
import { bootstrapCrossed, type Crossed } from '../src/lib/crossed.ts'
import { hashParts, randomFrom } from '../src/lib/random.ts'
import { mean } from '../src/lib/statistics.ts'
import { isRight, packLines, parseLines, percent, showInterval } from './answer-lines.ts'

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: { save: { type: 'string' } },
})
const [out = '', ...seeds] = positionals

function readLines<T>(...names: string[]): T[] {
  const file = path.join(out, ...names)
  return existsSync(file) ? parseLines(readFileSync(file, 'utf8')) : []
}

const tests = readLines<{ id: string; target: string }>('tests', 'prompts.jsonl')
const targets = new Map(tests.map(({ id, target }) => [id, target]))
const scoreOf = (id: string, text: string) => isRight(text, targets.get(id) as string)
/** Every answer, for the file that is kept. */
const answered: { seed: string; id: string; method: string; target: string; text: string }[] = []

/** A row's name, and 1 or 0 by seed and question. */
type Rows = Map<string, Map<string, number>[]>
const rows: Rows = new Map()

/** Adds an answer; `text` is '' if a method has none. */
function addAnswer(title: string, seed: number, id: string, text: string): void {
  answered.push({ seed: seeds[seed] as string, id, method: title, target: targets.get(id) as string, text })
  add(title, seed, id, scoreOf(id, text))
}

function add(title: string, seed: number, id: string, score: number): void {
  const bySeed = rows.get(title) ?? seeds.map(() => new Map<string, number>())
  rows.set(title, bySeed)
  bySeed[seed]?.set(id, score)
}

/** What the journal of a grid says of a question: its answers by point, or the layers of one point. */
type GridLine =
  | { type: 'done'; id: string; value: Record<string, { text: string }> }
  | { type: 'part'; id: string; name: string; value: { layers: { completions: { text: string }[] }[] } }

/** The widest point comes first in the journal, and has the proposals of all. */
function addGrid(seed: number): void {
  const lines = readLines<GridLine>(seeds[seed] as string, 'grid', 'journal.jsonl')
  const drafts = new Map<string, string[]>()
  for (const line of lines) {
    if (line.type !== 'part' || drafts.has(line.id)) continue
    drafts.set(line.id, line.value.layers[0]?.completions.map(({ text }) => text) ?? [])
  }
  const ends = lines.filter((line) => line.type === 'done')
  const widths = [
    ...new Set(ends.flatMap(({ value }) => Object.keys(value).map((point) => Number.parseInt(point, 10)))),
  ]
  for (const width of widths.sort((a, b) => a - b))
    for (const { id, value } of ends) {
      if (width === widths.at(-1)) keepDrafts(seed, id, drafts.get(id) ?? [])
      const shown = (drafts.get(id) ?? []).slice(0, width)
      if (width === 1 && value['1x0']) addAnswer('one answer', seed, id, value['1x0'].text)
      add(
        `${width}, best draft by the right answer`,
        seed,
        id,
        Math.max(...shown.map((text) => scoreOf(id, text))),
      )
      addAnswer(`${width}, majority by part`, seed, id, puzzles.votes?.parts?.(shown) ?? '')
      const points = Object.keys(value).filter((point) => point.startsWith(`${width}x`) && point !== '1x0')
      for (const point of points.sort())
        addAnswer(`${point.replace('x', ' x ')}, AFT model`, seed, id, value[point]?.text ?? '')
    }
}

function keepDrafts(seed: number, id: string, drafts: string[]): void {
  const known = { seed: seeds[seed] as string, id, target: targets.get(id) as string }
  answered.push(...drafts.map((text, i) => ({ ...known, method: `draft ${i + 1}`, text })))
}

const controls = [
  ['single', 'one answer'],
  ['oracle', 'best draft by the right answer'],
  ['majority-parts-same', 'majority by part, same completions'],
  ['trained', 'AFT model'],
] as const

function addControls(name: string, title: string, seed: number): void {
  const lines = readLines<{ id: string; answers: { control: string; text: string }[] }>(
    seeds[seed] as string,
    name,
    'questions.jsonl',
  )
  for (const [control, what] of controls)
    for (const { id, answers } of lines) {
      const answer = answers.find((of) => of.control === control)
      if (answer) addAnswer(`${title}, ${what}`, seed, id, answer.text)
    }
}

for (const seed of seeds.keys()) {
  addGrid(seed)
  addControls('grid-reversed', 'reversed', seed)
  addControls('grid-other', 'other drafts', seed)
}
const table = [...rows].map(([title, bySeed]) => {
  const ids = [...new Set(bySeed.flatMap((of) => [...of.keys()]))]
  const scores: Crossed = bySeed.map((of) => ids.map((id) => of.get(id)))
  const random = randomFrom(hashParts('routes grid', title))
  const interval = bootstrapCrossed(scores, { random }) ?? { low: 0, high: 0 }
  const share = mean(scores.flat().filter((score) => score !== undefined))
  console.log(`${title.padEnd(52)} ${percent(share).padStart(5)} % ${showInterval(interval)}`)
  return { title, questions: ids.length, share, interval }
})
writeFileSync(path.join(out, 'grid.json'), `${JSON.stringify({ seeds, rows: table }, null, 1)}\n`)
if (flags.save) {
  const answers = `${flags.save}-answers.jsonl.gz`
  saveResults(`experiment-${flags.save}`, 'runs/routes-grid.sh', { answers, seeds, rows: table })
  writeFileSync(path.join(import.meta.dirname, '../bench/results', answers), packLines(answered))
}
