/**
 * Who answers right, on the test half of `runs/aggregator-rows.ts`: a random draft, the majority with random ties, each
 * system, the rule that the aggregator was taught, the oracle, and each aggregator whose answers are given:
 *   node runs/aggregator-table.ts OUT/test.jsonl aft=A7.jsonl,A8.jsonl,A9.jsonl untrained=U.jsonl -o result.json
 * `--train OUT/train-solutions.jsonl` adds what the rule gains on the other half. Several files of a name are seeds. Differences to the majority are paired by question; intervals are bootstrap ones over
 * questions (seeds averaged first).
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { Response } from '../src/files/rows/row.ts'
import { extractAnswer } from '../src/lib/answer-text.ts'
import { hashParts, randomFrom, shuffle } from '../src/lib/random.ts'
import { bootstrapMean, mean } from '../src/lib/statistics.ts'
import { expectVote, gradeComparison, pickDraft, readDrafts, readSolutions } from './aggregator-drafts.ts'

interface TestRow {
  id: string
  responses: Response[]
  target: string
}
interface Answer {
  id: string
  target?: string
  answer?: string
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { output: { type: 'string', short: 'o' }, train: { type: 'string' } },
})
const [test = '', ...named] = positionals
const rows = readLines<TestRow>(test)
const right = (text: string, row: TestRow) => Number(extractAnswer(text) === extractAnswer(row.target))
const hits = rows.map((row) => row.responses.map(({ text }) => right(text, row)))

const systems = [...new Set(rows.flatMap((row) => row.responses.map(({ model }) => model)))]
const drafts = rows.map(({ responses }) => readDrafts(responses))
const majority = rows.map(({ target }, i) => expectVote(drafts[i] ?? [], target))
const series: [name: string, scores: number[]][] = [
  ['a random draft', hits.map((list) => (list.length > 0 ? mean(list) : 0))],
  ['majority, ties at random', majority],
  ...systems.map((model): [string, number[]] => [
    `always ${model}`,
    rows.map((row, i) => hits[i]?.[row.responses.findIndex((r) => r.model === model)] ?? 0),
  ]),
  ['the rule that was taught', rows.map((row, i) => right(pickDraft(drafts[i] ?? [])?.text ?? '', row))],
  ['oracle', hits.map((list) => Math.max(0, ...list))],
]
const details: Record<string, object> = {}
for (const one of named) {
  const [name = '', files = ''] = one.split(/=(.*)/s)
  const seeds = files.split(',').map((file) => readAnswers(file))
  series.push([name, rows.map((row, i) => mean(seeds.map((texts) => right(texts[i] ?? '', row))))])
  details[name] = {
    seeds: seeds.map((texts, i) => describeSeed(`${name} ${i}`, texts)),
    ...describeChoices(seeds),
    ...describeComparisons(seeds),
  }
}
const table = series.map(([name, scores]) => ({
  name,
  accuracy: mean(scores),
  interval: bootstrapMean(scores, { random: randomFrom(hashParts('accuracy', name)) }),
  ...(scores !== majority && compareToMajority(name, scores)),
  ...details[name],
}))
for (const { name, accuracy, interval, over_majority: over, over_majority_interval: of } of table) {
  const percent = (share = 0) => (100 * share).toFixed(1)
  const more = of && `  over the majority ${percent(over)} [${percent(of.low)}, ${percent(of.high)}]`
  console.log(
    `${name.padEnd(28)} ${percent(accuracy).padStart(5)} % [${percent(interval?.low)}, ${percent(interval?.high)}]${more ?? ''}`,
  )
}
const train = values.train && (await describeTrainingHalf(values.train))
if (values.output) {
  const result = { n: rows.length, table, ...(train && { train }) }
  writeFileSync(values.output, `${JSON.stringify(result, null, 1)}\n`)
}

function describeSeed(name: string, texts: (string | undefined)[]) {
  const scores = rows.map((row, i) => right(texts[i] ?? '', row))
  return { accuracy: mean(scores), ...compareToMajority(name, scores) }
}

/** What the rule gains over the majority on the questions that train. */
async function describeTrainingHalf(file: string) {
  const differences = (await readSolutions(file)).map(({ id, responses, target = '' }) => {
    const own = readDrafts(shuffle(responses, randomFrom(hashParts('train', id))))
    return Number(pickDraft(own)?.answer === extractAnswer(target)) - expectVote(own, target)
  })
  return { n: differences.length, rule: compare('train', differences) }
}

function compareToMajority(name: string, scores: number[]) {
  const differences = scores.map((score, i) => score - (majority[i] as number))
  return compare(name, differences)
}

function compare(name: string, differences: number[]) {
  return {
    over_majority: mean(differences),
    over_majority_interval: bootstrapMean(differences, { random: randomFrom(hashParts('difference', name)) }),
  }
}

function readLines<T>(file: string): T[] {
  return readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}

/** Of `aft data label` (`target`) or `aft run` (`answer`), in the order of the rows. */
function readAnswers(file: string): (string | undefined)[] {
  const texts = new Map(readLines<Answer>(file).map(({ id, target, answer }) => [id, answer ?? target]))
  const missing = rows.filter(({ id }) => !texts.has(id)).length
  if (missing > 0)
    console.error(
      `warning: ${file}: no answer to ${missing} of ${rows.length} questions: they count as wrong`,
    )
  return rows.map(({ id }) => texts.get(id))
}

/** How often the answer is some draft's, and the most frequent one. */
function describeChoices(seeds: (string | undefined)[][]) {
  const shares = seeds.map((texts) => {
    const each = rows.map(({ responses }, i) => {
      const votes = responses.map(({ text }) => extractAnswer(text))
      const count = (answer: string) => votes.filter((vote) => vote === answer).length
      const own = count(extractAnswer(texts[i] ?? ''))
      return { isDraft: Number(own > 0), isMost: Number(own > 0 && own === Math.max(...votes.map(count))) }
    })
    return { draft: mean(each.map((e) => e.isDraft)), most: mean(each.map((e) => e.isMost)) }
  })
  return {
    answers_of_a_draft: mean(shares.map((s) => s.draft)),
    answers_of_most: mean(shares.map((s) => s.most)),
  }
}

/**
 * Of the comparisons that were written: votes and the answers of most votes wholly right, answers that are the rule's (of
 * all, and by the votes of the answers, such as `2-1-1`), and how often the first draft's answer is given.
 */
function describeComparisons(seeds: (string | undefined)[][]) {
  const grades = seeds.flatMap((texts) =>
    texts.flatMap((text = '', i) => gradeComparison(text, drafts[i] ?? []) ?? []),
  )
  if (grades.length === 0) return {}
  const share = (key: 'votes' | 'leaders' | 'follows' | 'first', of = grades) => mean(of.map((g) => g[key]))
  const splits = Object.entries(Object.groupBy(grades, ({ split }) => split))
    .map(([split, of = []]) => ({ split, n: of.length, rule_followed: share('follows', of) }))
    .sort((a, b) => b.n - a.n)
  return {
    compared: {
      n: grades.length,
      votes_right: share('votes'),
      most_voted_right: share('leaders'),
      rule_followed: share('follows'),
      by_votes: splits,
      first_trusted: share('first'),
    },
  }
}
