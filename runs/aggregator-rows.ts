/**
 * Rows of the experiment on choosing among drafts: `node runs/aggregator-rows.ts SOLUTIONS OUT [--orders 2] [--warm-up 0]`.
 * The questions of GSM8K's file of model solutions are halved by a seed. OUT gets
 *   train-solutions.jsonl  one half as it came, for `aft data build --format gsm8k-solutions --sft-twin`
 *   test.jsonl             the other half, responses shuffled, for `aft data label` and `aft run`
 *   test-shown.jsonl       the same, each response after its answer and its count of numbers
 *   compare/               examples of that half, in several orders each. The target compares the drafts and gives the
 *                          answer to trust by a rule that reads no gold answer. The draft to trust stands in each place
 *                          equally often
 *   ties/                  more of them, of which a third has two answers with two votes each, which are rare, and a third one
 * `--warm-up N` puts N made problems before them, with shorter drafts of the same form, whose votes fall as in that half.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { aggregatorMessages } from '../src/core/templates.ts'
import { generateArithmetic } from '../src/data/sources/arithmetic.ts'
import type { Example, SourceRow } from '../src/files/rows/row.ts'
import { readTemplate } from '../src/files/template-file.ts'
import { hashParts, randomFrom, shuffle } from '../src/lib/random.ts'
import {
  type Draft,
  pickDraft,
  readDrafts,
  readSolutions,
  showDraft,
  splitVotes,
  writeComparison,
} from './aggregator-drafts.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string', default: '0' },
    orders: { type: 'string', default: '2' },
    'warm-up': { type: 'string', default: '0' },
    ties: { type: 'string', default: '132' },
    'held-out': { type: 'string', default: '24' },
  },
})
const [file, out] = positionals as [string, string]
const [seed, orders, warmUp, heldOut] = [
  values.seed,
  values.orders,
  values['warm-up'],
  values['held-out'],
].map(Number) as [number, number, number, number]
const template = await readTemplate(path.join(import.meta.dirname, 'aggregator-template.json'))

const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
const rows = await readSolutions(file)
const order = shuffle([...rows.keys()], randomFrom(hashParts('halves', seed)))
const half = Math.floor(rows.length / 2)
const [forTraining, forTest] = [order.slice(0, half), order.slice(half)]
const at = (index: number) => rows[index] as SourceRow

mkdirSync(path.join(out, 'compare'), { recursive: true })
write(
  'train-solutions.jsonl',
  forTraining.map((index) => lines[index]),
)
const tests = forTest.map((index) => toTestRow(at(index)))
const shown = tests.map((row) => ({ ...row, responses: row.responses.map(showDraft) }))
write(
  'test.jsonl',
  tests.map((row) => JSON.stringify(row)),
)
write(
  'test-shown.jsonl',
  shown.map((row) => JSON.stringify(row)),
)

const compared = forTraining.map(at).filter(({ responses }) => responses.length > 1)
const warm = [...generateArithmetic(warmUp, seed)].map((row, turn) => takeFour(row, turn))
const turns = Array.from({ length: orders }, (_, turn) =>
  shuffle(compared.slice(heldOut), randomFrom(hashParts('rows', seed, turn))),
)
write('compare/validation.jsonl', compared.slice(0, heldOut).map(toExample))
write('compare/train.jsonl', [...warm, ...turns.flat()].map(toExample))
mkdirSync(path.join(out, 'ties'), { recursive: true })
write('ties/train.jsonl', mixTies(Number(values.ties)))
console.log(`${forTraining.length} questions to train on, ${forTest.length} to test`)

function write(name: string, content: (string | undefined)[]): void {
  writeFileSync(path.join(out, name), `${content.join('\n')}\n`)
}

function toTestRow({ id, prompt, responses, target }: SourceRow) {
  const shown = shuffle(responses, randomFrom(hashParts('test', seed, id)))
  return { id, messages: prompt, responses: shown, target }
}

/** A row's drafts in the first random order that has the draft to trust at the place whose turn it is. */
function inOrder({ id, responses }: SourceRow, turn: number): SourceRow['responses'] {
  for (let tries = 0; ; tries++) {
    const order = shuffle(responses, randomFrom(hashParts('order', seed, id, turn, tries)))
    const drafts = readDrafts(order)
    if (drafts.indexOf(pickDraft(drafts) as Draft) === turn % order.length || tries === 100) return order
  }
}

/**
 * As many drafts as the real rows have, of nothing but calculations, some of them twice, so that their numbers differ;
 * with the votes of a real row, if the made ones can have them.
 */
function takeFour(row: SourceRow, turn: number, votes?: string): SourceRow {
  const random = randomFrom(hashParts('votes', seed, turn))
  const drawn = votesOf(compared[Math.floor(random() * compared.length)] as SourceRow)
  const wanted = votes ?? drawn
  const drafts = row.responses.map((draft) => ({ ...draft, text: keepCalculations(draft.text, random) }))
  for (let tries = 0; ; tries++) {
    const responses = shuffle(drafts, random).slice(0, 4)
    if (votesOf({ ...row, responses }) === wanted || tries === 100) return { ...row, responses }
  }
}

function keepCalculations(text: string, random: () => number): string {
  const lines = text.match(/[\d.]+ [-+*/] [\d.]+ = [\d.]*\d|####.*/g) ?? []
  return lines.flatMap((line) => (random() < 0.3 && !line.startsWith('#') ? [line, line] : [line])).join('\n')
}

function votesOf({ responses }: SourceRow): string {
  return splitVotes(readDrafts(responses))
}

/** In turn a question whose drafts have these votes, or any, and of each kind a real one and a made one. */
function mixTies(count: number): string[] {
  const kinds = ['2-2', '2-1-1', undefined].flatMap((votes, kind) => {
    const made = [...generateArithmetic(count, seed + 1 + kind)].map((row, i) => takeFour(row, i, votes))
    return [compared.slice(heldOut), made].map((rows) =>
      rows.filter((row) => !votes || votesOf(row) === votes),
    )
  })
  return Array.from({ length: count }, (_, i) => {
    const rows = kinds[i % kinds.length] as SourceRow[]
    const turn = Math.floor(i / kinds.length)
    const row = rows[turn % rows.length] as SourceRow
    return toExample({ ...row, id: `${row.id}-tie` }, turn)
  })
}

function toExample(row: SourceRow, turn: number): string {
  const proposals = inOrder(row, turn)
  return JSON.stringify({
    id: `${row.id}-${turn}`,
    prompt: aggregatorMessages(template, row.prompt, proposals.map(showDraft)),
    completion: [{ role: 'assistant', content: writeComparison(readDrafts(proposals)) }],
    source: row.id.startsWith('arithmetic-') ? 'arithmetic' : 'gsm8k-solutions',
    proposals: proposals.map(({ model }) => ({ model, onPolicy: false })),
    template: template.id,
  } satisfies Example)
}
