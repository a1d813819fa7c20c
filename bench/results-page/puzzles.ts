/** The experiments on puzzles that one pass cannot solve. */
import type { Interval } from '../../src/lib/statistics.ts'
import type { Saved } from './speed-table.ts'
import { draw, showShare } from './text.ts'

/** What `runs/routes.sh` saves. */
export interface Routes extends Saved {
  /** What differs from the command. */
  note?: string
  /** The file of all answers. */
  questions?: string
  seeds: string[]
  tables: {
    test: string
    questions: number
    rows: {
      title: string
      share: number
      interval: Interval
      /** Null for a seed that the test was not run with. */
      bySeed: (number | null)[]
      aftAhead?: number
      aftAheadInterval?: Interval
    }[]
  }[]
}

const tests: Record<string, string> = {
  prompts: 'new prompts',
  wordings: 'new wordings',
  larger: 'four ways instead of three',
  ladders: 'word ladders',
  timetables: 'timetables',
}

export function tellRoutes(saved: Routes): string {
  const { note = '', questions = 'routes-questions.jsonl.gz', seeds, tables } = saved
  const known = Object.keys(tests).flatMap((test) => tables.find((table) => table.test === test) ?? [])
  const titles = known[0]?.rows.map(({ title }) => title) ?? []
  const drawAll = (show: (row: Routes['tables'][number]['rows'][number]) => string, shown: string[]) =>
    draw(
      ['', ...known.map(({ test, questions }) => `${tests[test]}, ${questions} questions`)],
      shown.map((title) => [
        title,
        ...known.map(({ rows }) => {
          const row = rows.find((one) => one.title === title)
          return row ? show(row) : ''
        }),
      ]),
    )
  const compared = titles.filter((title) =>
    known.some(({ rows }) => rows.some((row) => row.title === title && row.aftAheadInterval)),
  )
  return [
    `Routes through a map that branches at its start, two in each question: which way is right is known at its end only, so one pass from left to right has to guess. A proposer is trained to write right answers, an AFT model to write them with four drafts before it, and a twin like the proposer, on the same prompts and for as many steps as the AFT model. An answer is right if all its lines are; of a line that comes twice the last one counts. The table has the share of right answers in percent, over ${seeds.length === 1 ? 'one seed of training' : `${seeds.length} seeds of training`}; intervals are over questions${seeds.length === 1 ? '' : ' and seeds'}.`,
    drawAll(({ share, interval }) => showShare(share, interval), titles),
    'By how many points the AFT model over the drafts of the proposer is ahead, paired by question:',
    drawAll(({ aftAhead, aftAheadInterval }) => showShare(aftAhead, aftAheadInterval), compared),
    `Every answer is in [\`${questions}\`](../bench/results/${questions}); \`node runs/routes-table.ts bench/results/${questions}\` makes the tables from it.`,
    note,
  ].join('\n\n')
}

/** What `runs/routes-grid.sh` saves. */
interface RoutesGrid extends Saved {
  note?: string
  answers: string
  seeds: string[]
  rows: { title: string; questions: number; share: number; interval: Interval }[]
}

export function tellRoutesGrid({ note = '', answers, seeds, rows }: RoutesGrid): string {
  return [
    `The AFT model with other numbers of drafts than in its training (four), in more layers, with drafts in reverse order and with drafts of another proposer: right answers in percent, ${rows[0]?.questions} questions of the test *new prompts*, ${seeds.length === 1 ? 'one seed' : `${seeds.length} seeds`} of sampling. Width 4 and depth 2 is written 4 x 2. Intervals of 95 % are over questions.`,
    draw(
      ['', 'right answers, %'],
      rows.map(({ title, share, interval }) => [title, showShare(share, interval)]),
    ),
    `Every answer is in [\`${answers}\`](../bench/results/${answers}).`,
    note,
  ].join('\n\n')
}

/** What `runs/routes-rewards.sh` saves. */
interface Rewards extends Saved {
  note?: string
  answers: string
  questions: number
  rows: {
    title: string
    share: number
    interval: Interval
    gain?: number
    gainInterval?: Interval
    trainingSeconds?: number
  }[]
}

const ways: Record<string, string> = {
  'best draft': 'best of the four drafts, by the right answer',
  before: 'the model as it was',
  sft: 'after copying right answers',
  grpo: 'after learning from rewards (GRPO)',
}

export function tellRewards({ note = '', answers, questions, rows }: Rewards): string {
  return [
    `A trained aggregator goes on in two ways over the same puzzles and drafts: it copies right answers, or it samples several answers and learns from the share of right lines of each. ${questions} unseen questions, answers at temperature 0. Intervals of 95 % are over questions, gains are paired by question.`,
    draw(
      ['', 'right answers, %', 'points more than before', 'seconds of training'],
      rows.map(({ title, share, interval, gain, gainInterval, trainingSeconds }) => [
        ways[title] ?? title,
        showShare(share, interval),
        title === 'best draft' ? '' : showShare(gain, gainInterval),
        trainingSeconds === undefined ? '' : `${Math.round(trainingSeconds)}`,
      ]),
    ),
    `Every answer is in [\`${answers}\`](../bench/results/${answers}); \`node runs/routes-rewards-table.ts bench/results/${answers}\` makes the table from it.`,
    note,
  ].join('\n\n')
}
