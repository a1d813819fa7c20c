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
  table: {
    name: string
    accuracy: number
    interval: Interval
    over_majority?: number
    over_majority_interval?: Interval
    compared?: { rule_followed: number }
  }[]
}

/** Title, the control of the evaluation, and the row of the experiment. */
const rows: [title: string, control: string, name?: string][] = [
  ['one answer, without aggregation', 'single', 'a random draft'],
  ['one answer that may be as long as all calls together', 'single-long'],
  ['the most frequent proposal (majority)', 'majority', 'majority, ties at random'],
  ['SmolLM2-135M aggregates, prompted only', 'aggregated', 'untrained'],
  ['SmolLM2-135M aggregates, trained', 'trained', 'compare'],
  ['oracle: right if any proposal is right', 'oracle', 'oracle'],
]

const files = {
  own: 'evaluation-gsm8k-4x1.json',
  others: 'experiment-choosing.json',
  unseen: 'choosing-whole-half.json',
}

function findRow({ table }: Choosing, name: string): Choosing['table'][number] {
  const row = table.find((one) => one.name === name)
  if (!row) throw new Error(`no row "${name}"`)
  return row
}

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
    `models of 6 and 175 billion parameters propose; ${others.n} questions`,
  ]
  const sources = [files.own, files.others].map((file) => {
    const { command } = readResult<Saved>(file)
    return `[\`${command}\`](bench/results/${file})`
  })
  const shown = rows.map(([, control]) => control).filter((control) => control !== 'oracle')
  const leastP = Math.min(
    ...own.rows.flatMap((row) => (shown.includes(row.control) ? (row.against_single?.p ?? []) : [])),
  )
  const rule = findRow(others, 'the rule that was taught')
  const unseen = readResult<{ last160: Choosing }>(files.unseen).last160
  const gain = findRow(unseen, 'compare')
  const followed = others.table.find(({ compared }) => compared)?.compared?.rule_followed ?? Number.NaN
  return [
    draw(head, lines),
    `In brackets: 95 % intervals. Commands: first column ${sources.join('; last column ')}.`,
    `The first column shows no gain: no row but the oracle differs from one answer by more than chance (p is ${leastP.toFixed(1)} or more). The trained
model there learned from made-up arithmetic. In the last column the trained model is another one. It learned to vote, from the other
half of the same test set: give the most frequent answer, and of equally frequent ones that of the draft with the most numbers. It does
so for ${(100 * followed).toFixed(0)} % of the questions. It has not learned to check mathematics: a short program that votes in this way is right for ${percent(rule.accuracy)} % of
them. On ${unseen.n} further questions, which no earlier version had answered, it is ${percent(gain.over_majority ?? Number.NaN)} points above the majority (${range(gain.over_majority_interval ?? { low: Number.NaN, high: Number.NaN }, percent)}), maybe by chance.`,
  ].join('\n\n')
}
