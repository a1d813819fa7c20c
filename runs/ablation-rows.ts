/**
 * Rows of puzzles with other drafts, for `runs/ablations.sh`:
 * `node runs/ablation-rows.ts DRAFTS.jsonl ROWS.jsonl KINDS SEED OUT.jsonl --drafts 4 [--own 0.5] [--right 0.5]`.
 * DRAFTS has a model's own drafts as `aft data propose` writes them, ROWS the right answers. `--own` is the share of own
 * drafts; the others are guesses of the generator. `--right` is the share of right drafts, as far as a row has so many.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { generatePuzzles } from '../src/data/sources/puzzles.ts'
import { checkNumberedLines } from '../src/files/numbered-lines.ts'
import { hashParts, randomFrom, shuffle } from '../src/lib/random.ts'

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    drafts: { type: 'string', default: '4' },
    own: { type: 'string', default: '1' },
    right: { type: 'string' },
  },
})
const [draftsFile = '', rowsFile = '', kinds = '', seed = '', out = ''] = positionals
const count = Number(flags.drafts)

interface Row {
  id: string
  messages: unknown
  target: string
}
interface Draft {
  text: string
  model?: string
}

const readLines = <T>(file: string): T[] =>
  readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
const rows = readLines<Row>(rowsFile)
const own = new Map(readLines<{ id: string; responses: Draft[] }>(draftsFile).map((r) => [r.id, r.responses]))
const guesses = new Map(
  [...generatePuzzles(rows.length, Number(seed), kinds)].map(({ id, responses }) => [id, responses]),
)

/** As many right drafts as the share asks for, if the row has them; wrong ones fill up. */
function mix(drafts: Draft[], target: string, random: () => number): Draft[] {
  const shuffled = shuffle(drafts, random)
  if (flags.right === undefined) return shuffled.slice(0, count)
  const isRight = ({ text }: Draft) => checkNumberedLines(text, target).every(Boolean)
  const [right, wrong] = [shuffled.filter(isRight), shuffled.filter((draft) => !isRight(draft))]
  const wanted = Math.round(Number(flags.right) * count)
  const few = Math.min(wanted, right.length)
  const chosen = [...right.slice(0, few), ...wrong.slice(0, count - few)]
  return [...chosen, ...right.slice(few)].slice(0, count)
}

const made = rows.map(({ id, target, messages }) => {
  const random = randomFrom(hashParts(Number(seed), 'ablation', id))
  const share = Math.round(Number(flags.own) * count)
  const [first, second] = [own.get(id) ?? [], guesses.get(id) ?? []]
  const drafts =
    flags.own === '1' ? first : [...shuffle(first, random).slice(0, share), ...second.slice(0, count - share)]
  return { id, prompt: messages, responses: mix(drafts, target, random), target }
})
writeFileSync(out, made.map((row) => `${JSON.stringify(row)}\n`).join(''))
