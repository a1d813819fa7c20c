/**
 * What look-up decoding could gain for the last layer. Aggregators copy: a run of tokens that stands in a draft can be guessed, and
 * checked in one pass. How many guesses would be right is counted on real answers of the embedded model; what a pass costs comes
 * from `embedded-limits` on the same machine. Nothing is guessed while the model writes.
 *
 *   npm run bench -- embedded-limits
 *   npm run bench -- look-up --count 8
 */
import fs from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { openEmbedded } from '../src/engines/embedded/embedded.ts'
import { loadNative } from '../src/engines/embedded/native.ts'
import { resolveModel } from '../src/engines/models/models.ts'
import { answer } from '../src/run/answer.ts'
import { questions } from './questions.ts'
import { printTable, saveResults, spreadOf, widestInstructions } from './table.ts'

const { values: flags } = parseArgs({
  options: {
    count: { type: 'string', default: '8' },
    'max-tokens': { type: 'string', default: '96' },
    /** JSON lines of earlier answers: `drafts` and `answer`. */
    answers: { type: 'string' },
  },
})
const MATCHES = [1, 2, 3, 4, 6]
const GUESSES = [1, 2, 3, 5, 7, 11, 15]
const SAMPLING = { temperature: 0.7, topP: 0.95 }

interface Answered {
  drafts: string[]
  answer: string
}

async function answerQuestions(file: string): Promise<Answered[]> {
  const engine = await openEmbedded({ file, threads: 1 })
  const answered: Answered[] = []
  for (const [seed, question] of questions.slice(0, Number(flags.count)).entries()) {
    const options = { engine, width: 5, depth: 1, maxTokens: Number(flags['max-tokens']), seed, ...SAMPLING }
    const result = await answer(question, options)
    const drafts = result.layers[0]?.completions.map(({ text }) => text) ?? []
    answered.push({ drafts, answer: result.answer })
  }
  await engine.close()
  return answered
}

/** Where the longest run of tokens that ends `tokens`, of at least `least`, came before: the place after it. */
function findRun(tokens: number[], least: number): number | undefined {
  let best: { place: number; length: number } | undefined
  for (let place = tokens.length - 1; place > 0; place--) {
    let length = 0
    while (length < 16 && length < place && tokens[place - 1 - length] === tokens[tokens.length - 1 - length])
      length++
    if (length >= least && length > (best?.length ?? 0)) best = { place, length }
  }
  return best?.place
}

interface Counted {
  /** Passes over the weights, and the tokens that they gave. */
  passes: number
  tokens: number
  milliseconds: number
}

type Cost = (tokens: number) => number

/** Writes an answer with guesses. With `isOracle` a guess is only as long as it will be right, and only if that is cheaper. */
function write(
  drafts: number[],
  answer: number[],
  most: number,
  least: number,
  cost: Cost,
  isOracle = false,
): Counted {
  const counted = { passes: 0, tokens: 0, milliseconds: 0 }
  for (let at = 0; at < answer.length; ) {
    const before = [...drafts, ...answer.slice(0, at)]
    const place = findRun(before, least)
    const guess =
      place === undefined ? [] : before.slice(place, place + Math.min(most, answer.length - at - 1))
    let right = 0
    while (right < guess.length && guess[right] === answer[at + right]) right++
    const pays = cost(right + 1) / (right + 1) < cost(1)
    const checked = isOracle ? (pays ? right : 0) : guess.length
    const given = isOracle ? checked + 1 : right + 1
    counted.passes++
    counted.tokens += given
    counted.milliseconds += cost(checked + 1)
    at += given
  }
  return counted
}

/** Milliseconds of a pass, between the measured ones in proportion. */
function costOf(measured: Record<string, number[]>): Cost {
  const points = Object.entries(measured).map(([count, ms]) => [Number(count), spreadOf(ms).median] as const)
  return (count) => {
    const above = points.find(([at]) => at >= count) ?? (points.at(-1) as readonly [number, number])
    const below = points.findLast(([at]) => at <= count) ?? above
    const share = above[0] === below[0] ? 0 : (count - below[0]) / (above[0] - below[0])
    return below[1] + share * (above[1] - below[1])
  }
}

const { file } = await resolveModel('smollm2')
const limits = JSON.parse(
  fs.readFileSync(
    path.join(import.meta.dirname, `results/embedded-limits-${widestInstructions()}.json`),
    'utf8',
  ),
) as {
  checks: { length: number; ms: Record<string, number[]> }[]
}
const cost = costOf(limits.checks.at(-1)?.ms ?? {})
const answered: Answered[] = flags.answers
  ? fs
      .readFileSync(flags.answers, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
  : await answerQuestions(file)
const model = await loadNative({ file, vocabularyOnly: true })
const texts = answered.map(({ drafts, answer }) => ({
  drafts: drafts.flatMap((draft) => model.tokenize(`\n${draft}`)),
  answer: model.tokenize(answer),
}))
await model.dispose()

const rows = [...MATCHES.map((least) => ({ least, isOracle: false })), { least: 1, isOracle: true }].flatMap(
  ({ least, isOracle }) =>
    GUESSES.map((guesses) => {
      const parts = texts.map(({ drafts, answer }) => write(drafts, answer, guesses, least, cost, isOracle))
      const sum = (key: keyof Counted) => parts.reduce((total, part) => total + part[key], 0)
      const speedUp = (sum('tokens') * cost(1)) / sum('milliseconds')
      return { least, isOracle, guesses, tokensPerPass: sum('tokens') / sum('passes'), speedUp }
    }),
)
printTable(
  ['a match has at least', ...GUESSES.map((guesses) => `${guesses} guessed`)],
  [...MATCHES.map((least) => ({ least, isOracle: false })), { least: 1, isOracle: true }].map(
    ({ least, isOracle }) => [
      isOracle ? 'an oracle says how many are right' : `${least} tokens`,
      ...rows
        .filter((row) => row.least === least && row.isOracle === isOracle)
        .map(({ tokensPerPass, speedUp }) => `${tokensPerPass.toFixed(2)} per pass, ${speedUp.toFixed(2)} x`),
    ],
  ),
)
saveResults(
  `look-up-${widestInstructions()}`,
  ['npm run bench -- look-up', ...process.argv.slice(2)].join(' '),
  {
    answers: answered.length,
    tokens: texts.reduce((sum, { answer }) => sum + answer.length, 0),
    costs: Object.fromEntries(
      [1, ...GUESSES.map((guesses) => guesses + 1)].map((count) => [count, cost(count)]),
    ),
    rows,
    answered,
  },
)
