/**
 * The tables of `runs/routes.sh`: the share of right answers by method, averaged over seeds, and how far the AFT model is
 * from each. Intervals of 95 % draw seeds and questions with replacement; differences are paired by question and seed.
 *   node runs/routes-table.ts OUT SEED [SEED ...]   also writes OUT/table.json and every answer into OUT/questions.jsonl.gz;
 *                                                   with --save NAME into bench/results, too
 *   node runs/routes-table.ts QUESTIONS.jsonl.gz    makes the same tables again, from the answers alone
 * An answer is right if each of its parts is. A method that answered fewer questions has their number behind its name.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { saveResults } from '../bench/table.ts'
import { checkNumberedLines } from '../src/files/numbered-lines.ts'
import { bootstrapCrossed, type Crossed, meansOfItems } from '../src/lib/crossed.ts'
import { hashParts, randomFrom } from '../src/lib/random.ts'
import { type Interval, mean } from '../src/lib/statistics.ts'
import { packLines, parseLines, percent, readPacked, showInterval } from './answer-lines.ts'

/** A line of the answers: one question of a test, as one model and the controls over its drafts answered it. */
interface Answered {
  test: string
  seed: string
  of: 'proposer' | 'twin'
  id: string
  prompt: string
  target: string
  proposals: { text: string; score: number }[]
  more_proposals?: { text: string; score: number }[]
  answers: { control: string; text: string; scores: { whole: number; parts: number } }[]
}

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: { save: { type: 'string' } },
})
const [place = '', ...given] = positionals
const isPacked = place.endsWith('.gz')

const readLines = <T>(...names: string[]): T[] => parseLines(readFileSync(path.join(place, ...names), 'utf8'))

/** A test that was not run has no rows. */
function readAnswers(...names: string[]): Answered[] {
  return existsSync(path.join(place, ...names, 'questions.jsonl'))
    ? readLines<Answered>(...names, 'questions.jsonl')
    : []
}

function gather(): Answered[] {
  return readdirSync(path.join(place, 'tests')).flatMap((file) => {
    const test = file.replace('.jsonl', '')
    const targets = new Map(
      readLines<{ id: string; target: string }>('tests', file).map((r) => [r.id, r.target]),
    )
    return given.flatMap((seed) =>
      (['proposer', 'twin'] as const).flatMap((of) => {
        const rest = of === 'proposer' ? readAnswers(seed, `${test}-rest`) : []
        return readAnswers(seed, `${test}-${of}`).map((row): Answered => {
          const { id, prompt, proposals, more_proposals } = row
          const all = [...row.answers, ...(rest.find((other) => other.id === id)?.answers ?? [])]
          const answers = all.map(({ control, text, scores }) => ({ control, text, scores }))
          const target = targets.get(id) ?? ''
          return { test, seed, of, id, prompt, target, proposals, more_proposals, answers }
        })
      }),
    )
  })
}

/** Each method by name: 1 or 0 for each seed and question, undefined if it did not answer. */
type Series = Map<string, Crossed>

/** The rows of a table. The proposer's evaluation has the controls, the twin's the answers of the twin. */
const methods: [title: string, of: 'proposer' | 'twin', control: string][] = [
  ['one answer', 'proposer', 'single'],
  ['one long answer', 'proposer', 'single-long'],
  ['majority, same completions', 'proposer', 'majority-same'],
  ['majority by part, same completions', 'proposer', 'majority-parts-same'],
  ['picked by the proposer as judge, same completions', 'proposer', 'judge-same'],
  ['best draft, by the right answer', 'proposer', 'oracle'],
  ['best of as many completions, by the right answer', 'proposer', 'oracle-same'],
  ['the proposer aggregates, untrained', 'proposer', 'aggregated'],
  ['AFT model over the drafts of the proposer', 'proposer', 'trained'],
  ['SFT twin, one answer', 'twin', 'single'],
  ['SFT twin, majority by part, same completions', 'twin', 'majority-parts-same'],
  ['SFT twin, best draft, by the right answer', 'twin', 'oracle'],
  ['AFT model over the drafts of the twin', 'twin', 'trained'],
]
const AFT = 'AFT model over the drafts of the proposer'
const PROGRAM = 'a program that merges right parts'

function readSeries(rows: Answered[]): Series {
  const ids = [...new Set(rows.map(({ id }) => id))]
  const bySeed = seeds.map(
    (seed) => new Map(rows.filter((row) => row.seed === seed).map((row) => [`${row.of} ${row.id}`, row])),
  )
  const of = (model: 'proposer' | 'twin', score: (row: Answered) => number | undefined): Crossed =>
    bySeed.map((lines) =>
      ids.map((id) => {
        const row = lines.get(`${model} ${id}`)
        return row && score(row)
      }),
    )
  const scoreOf = (control: string) => (row: Answered) =>
    row.answers.find((answer) => answer.control === control)?.scores.whole
  const ofModel = (model: 'proposer' | 'twin') =>
    methods
      .filter(([, by]) => by === model)
      .map(([title, , control]): [string, Crossed] => [title, of(model, scoreOf(control))])
  const program = of('proposer', ({ proposals, target }) => mergeable(proposals, target))
  const all: [string, Crossed][] = [...ofModel('proposer'), [PROGRAM, program], ...ofModel('twin')]
  return new Map(all.filter(([, scores]) => count(scores) > 0))
}

/** The questions that a method answered under some seed. */
const count = (scores: Crossed) => meansOfItems(scores).length

/** The mean over all answers of all seeds. */
const average = (scores: Crossed) => mean(scores.flatMap((of) => of.filter((score) => score !== undefined)))

/** Whether each part is right in some draft. */
function mergeable(proposals: { text: string }[], target: string): number {
  const right = proposals.map(({ text }) => checkNumberedLines(text, target))
  const parts = checkNumberedLines(target, target)
  return Number(parts.every((_, part) => right.some((of) => of[part])))
}

function interval(of: Crossed, name: string): Interval {
  return bootstrapCrossed(of, { random: randomFrom(hashParts('routes', name)) }) ?? { low: 0, high: 0 }
}

const lines: Answered[] = isPacked ? readPacked(place) : gather()
const seeds = [...new Set(lines.map(({ seed }) => seed))]
const tables = [...Map.groupBy(lines, ({ test }) => test)].flatMap(([test, rows]) => {
  const series = readSeries(rows)
  const aft = series.get(AFT)
  if (!aft) return []
  const questions = count(aft)
  const results = [...series].map(([title, scores]) => {
    const ahead = aft.map((of, seed) =>
      of.map((score, i) => {
        const other = scores[seed]?.[i]
        return score === undefined || other === undefined ? undefined : score - other
      }),
    )
    const bySeed = scores.map((of) => (count([of]) > 0 ? average([of]) : null))
    return {
      title,
      share: average(scores),
      ...(count(scores) !== questions && { questions: count(scores) }),
      interval: interval(scores, `${test} ${title}`),
      bySeed,
      ...(title !== AFT &&
        count(ahead) > 0 && {
          aftAhead: average(ahead),
          aftAheadInterval: interval(ahead, `${test} ${title} ahead`),
        }),
    }
  })
  console.log(`\n${test}: ${questions} questions, seeds: ${seeds.join(', ')}`)
  for (const { title, share, questions, interval, aftAhead, aftAheadInterval } of results) {
    const ahead = aftAheadInterval
      ? `  the AFT model is ahead by ${percent(aftAhead as number)} ${showInterval(aftAheadInterval)}`
      : ''
    const of = questions === undefined ? title : `${title} (${questions})`
    console.log(
      `${of.padEnd(56)} ${percent(share).padStart(5)} % ${showInterval(interval).padEnd(14)}${ahead}`,
    )
  }
  return [{ test, questions, rows: results }]
})
if (!isPacked) {
  writeFileSync(path.join(place, 'table.json'), `${JSON.stringify({ seeds, tables }, null, 1)}\n`)
  const packed = packLines(lines)
  writeFileSync(path.join(place, 'questions.jsonl.gz'), packed)
  if (flags.save) {
    const questions = `${flags.save}-questions.jsonl.gz`
    saveResults(`experiment-${flags.save}`, 'runs/routes.sh', { questions, seeds, tables })
    writeFileSync(path.join(import.meta.dirname, '../bench/results', questions), packed)
  }
}
