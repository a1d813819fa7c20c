/** The rows of "Does it help?" in the README. */
import type { ControlRow } from '../../src/eval/control-table.ts'
import { correctHolm, type Interval } from '../../src/lib/statistics.ts'
import type { Routes } from './puzzles.ts'
import type { Saved } from './speed-table.ts'
import { draw, percent, range, showShare } from './text.ts'

interface Own extends Saved {
  n: number
  rows: ControlRow[]
}
interface Choosing extends Saved {
  n: number
  table: {
    name: string
    over_majority?: number
    over_majority_interval?: Interval
    compared?: { rule_followed: number }
  }[]
}

const AFT = 'AFT model over the drafts of the proposer'

/** What the README calls a row of the experiment. */
const rows: [text: string, title: string][] = [
  ['the best of its four drafts, picked by the right answer', 'best draft, by the right answer'],
  ['trained without drafts, for as many steps, one answer', 'SFT twin, one answer'],
  ['**trained to aggregate, from the same four drafts**', AFT],
]
/** How far the last of these is ahead, in points. */
const differences: [text: string, title: string][] = [
  ['ahead of the best draft by', 'best draft, by the right answer'],
  ['ahead of more training without drafts by', 'SFT twin, one answer'],
]
/** What the README calls a test. */
const columns: [text: string, test: string][] = [
  ['new puzzles', 'prompts'],
  ['new wordings', 'wordings'],
  ['four ways, not three', 'larger'],
  ['word ladders', 'ladders'],
]

const files = {
  routes: 'experiment-routes-wider.json',
  own: 'evaluation-gsm8k-4x1.json',
  others: 'experiment-choosing.json',
  unseen: 'choosing-whole-half.json',
}

type Row = Routes['tables'][number]['rows'][number]

function rowOf(rows: Row[], title: string): Row {
  const row = rows.find((one) => one.title === title)
  if (!row) throw new Error(`${files.routes}: no row "${title}"`)
  return row
}

/** @param readResult reads a file of bench/results */
export function drawSummary(readResult: <T>(file: string) => T): string {
  const { tables } = readResult<Routes>(files.routes)
  const known = columns.map(([text, test]) => {
    const table = tables.find((one) => one.test === test)
    if (!table) throw new Error(`${files.routes}: no test "${test}"`)
    const trained = rowOf(table.rows, AFT).bySeed.filter((share) => share !== null).length
    return { text: `${text}, ${table.questions}${trained > 1 ? ` × ${trained}` : ''}`, rows: table.rows }
  })
  const lineOf = ([text, title]: [string, string], show: (row: Row) => string) => [
    text,
    ...known.map(({ rows }) => show(rowOf(rows, title))),
  ]
  return [
    draw(
      ['SmolLM2-135M, right answers in %', ...known.map(({ text }) => text)],
      [
        ...rows.map((row) => lineOf(row, ({ share }) => percent(share))),
        ...differences.map((row) =>
          lineOf(row, ({ aftAhead, aftAheadInterval }) => showShare(aftAhead, aftAheadInterval)),
        ),
      ],
    ),
    `The last two rows are points, with 95 % intervals over questions and, where it says × 2, over two trainings of the aggregator. Command: [\`runs/routes.sh\`](bench/results/${files.routes}).`,
    tellOthers(readResult),
  ].join('\n\n')
}

/** What showed no gain. */
function tellOthers(readResult: <T>(file: string) => T): string {
  const own = readResult<Own>(files.own)
  const tests = own.rows.flatMap(({ control, against_single: test }) =>
    control !== 'oracle' && test ? [test.p] : [],
  )
  const least = Math.min(...correctHolm(tests))
  const followed =
    readResult<Choosing>(files.others).table.find(({ compared }) => compared)?.compared?.rule_followed ??
    Number.NaN
  const unseen = readResult<{ last160: Choosing }>(files.unseen).last160
  const gain = unseen.table.find(({ name }) => name === 'compare')
  const interval = range(gain?.over_majority_interval ?? { low: Number.NaN, high: Number.NaN }, percent)
  return `On grade-school mathematics (GSM8K, ${own.n} questions) the same small model gained nothing from its own proposals, prompted or trained: no use of it
differs from one answer by more than chance (${tests.length} tests, least p ${least.toFixed(1)} with Holm's correction). Over the proposals of larger models it learned to follow a
voting rule, in ${(100 * followed).toFixed(0)} % of cases, and on ${unseen.n} unseen questions was ${percent(gain?.over_majority ?? Number.NaN)} points above the majority (${interval}), maybe by chance.`
}
