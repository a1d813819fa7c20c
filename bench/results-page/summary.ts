/** The six rows of "Does it help?" in the README. */
import type { ControlRow } from '../../src/eval/control-table.ts'
import type { Interval } from '../../src/lib/statistics.ts'
import type { Saved } from './speed.ts'
import { draw, percent, range } from './text.ts'

interface Own extends Saved {
  n: number
  rows: ControlRow[]
}
interface Choosing extends Saved {
  n: number
  table: { name: string; accuracy: number; interval: Interval; compared?: { rule_followed: number } }[]
}

/** Title, the control of the evaluation, and the row of the experiment. */
const rows: [title: string, control: string, name?: string][] = [
  ['one answer (any one proposal)', 'single', 'a random draft'],
  ['one answer with as many tokens as all calls together', 'single-long'],
  ['the majority of the answers', 'majority', 'majority, ties at random'],
  ['SmolLM2-135M aggregates, prompted only', 'aggregated', 'untrained'],
  ['SmolLM2-135M aggregates, trained', 'trained', 'compare'],
  ['oracle: right if any proposal is right', 'oracle', 'oracle'],
]

const files = { own: 'evaluation-gsm8k-4x1.json', others: 'experiment-choosing.json' }

/** @param readResult reads a file of bench/results */
export function drawSummary(readResult: <T>(file: string) => T): string {
  const own = readResult<Own>(files.own)
  const others = readResult<Choosing>(files.others)
  const show = (mean: number, interval: Interval) => `${percent(mean)} (${range(interval, percent)})`
  const lines = rows.map(([title, control, name]) => {
    const score = own.rows.find((row) => row.control === control)?.scores.flexible
    const row = others.table.find((one) => one.name === name)
    if (!score || (name && !row)) throw new Error(`no row for "${title}"`)
    return [title, show(score.mean, score.interval), row ? show(row.accuracy, row.interval) : 'not measured']
  })
  const head = [
    'right answers, %',
    `SmolLM2-135M proposes; ${own.n} questions`,
    `four larger models propose; ${others.n} questions`,
  ]
  const sources = Object.values(files).map((file) => {
    const { command } = readResult<Saved>(file)
    return `[\`${command}\`](bench/results/${file})`
  })
  const followed = others.table.find(({ compared }) => compared)?.compared?.rule_followed ?? Number.NaN
  return [
    draw(head, lines),
    `GSM8K, 95 % intervals in brackets; ${sources.join(' and ')}.`,
    `The trained aggregator in the last column follows a voting rule in ${(100 * followed).toFixed(0)} % of cases: it counts votes and breaks
ties. It has not learned to check mathematics.`,
  ].join('\n\n')
}
