/** Reads annotations in AlpacaEval's form: per instruction two outputs, of a baseline and a model, and a preference. */
import type { DataError } from '../core/provider/errors.ts'
import { placeOf } from './alpaca-eval-order.ts'
import { type Row, type RowFile, type RowPlaces, readRows, show, wrongRow } from './row-file.ts'

/** The benchmark's baseline, as its files name it. */
export const BENCHMARK_BASELINE = 'gpt4_1106_preview'
/** The baseline of the first AlpacaEval. */
const EARLIER_BASELINE = 'text_davinci_003'
/** Number of instructions in the benchmark. */
export const BENCHMARK_ROWS = 805

/** One comparison. */
export interface Annotation {
  instruction: string
  /** The baseline's output, then the model's. */
  outputs: [string, string]
  /** From 1 (the baseline wins) to 2 (the model wins), 1.5 for a tie; null if the judge gave no preference. */
  preference: number | null
}

/** A file of comparisons. */
export interface Annotations {
  file: string
  rows: Annotation[]
  /** Names of the baseline and of the model. */
  generators: [string, string]
  annotators: string[]
  /** True if the instructions are the benchmark's own. */
  isBenchmark: boolean
}

/**
 * Reads and checks annotations. A wrong row is an error; it is never skipped.
 * @throws DataError with the wrong row, FileError if the file cannot be read
 */
export async function readAnnotations(file: string): Promise<Annotations> {
  const found = await readRows(file)
  const rows = found.rows.map((row, i) => readAnnotation(row, (problem) => wrongRow(found, i + 1, problem)))
  const generators = ['generator_1', 'generator_2'].map((field) => readGenerator(found, field))
  const [baseline, model] = generators as [string, string]
  if (model === BENCHMARK_BASELINE && ![BENCHMARK_BASELINE, EARLIER_BASELINE].includes(baseline)) {
    throw wrongRow(
      found,
      1,
      `expected the baseline ${BENCHMARK_BASELINE} as generator_1, got it as generator_2. Are the two files swapped?`,
    )
  }
  const instructions = rows.map((row) => row.instruction)
  checkDuplicates(found, instructions)
  const isBenchmark = checkOrder(found, instructions)
  const annotators = [
    ...new Set(found.rows.flatMap((row) => (row.annotator == null ? [] : [String(row.annotator)]))),
  ]
  return { file, rows, generators: [baseline, model], annotators, isBenchmark }
}

type Wrong = (problem: string) => DataError

function readAnnotation(row: Row, wrong: Wrong): Annotation {
  const { instruction } = row
  if (typeof instruction !== 'string')
    throw wrong(`expected \`instruction\` to be text, got ${show(instruction)}`)
  const outputs = ['output_1', 'output_2'].map((field) => readOutput(row, field, wrong)) as [string, string]
  return { instruction, outputs, preference: readPreference(row, wrong) }
}

function readOutput(row: Row, field: string, wrong: Wrong): string {
  const value = row[field]
  if (typeof value !== 'string') {
    const hint = typeof row.output === 'string' ? '. Is this a file of outputs, not of annotations?' : ''
    throw wrong(`expected \`${field}\` to be text, got ${show(value)}${hint}`)
  }
  return value
}

function readPreference(row: Row, wrong: Wrong): number | null {
  const { preference } = row
  if (preference === null) return null
  if (preference === 0) return 1.5
  if (typeof preference === 'number' && preference >= 1 && preference <= 2) return preference
  const tell =
    'expected `preference` to be a number from 1 (the baseline wins) to 2 (the model wins), 0 for a tie'
  throw wrong(`${tell}, or null if the judge gave none; got ${show(preference)}`)
}

/** Reads the name of a generator, which must be the same in all rows. */
function readGenerator(found: RowFile, field: string): string {
  const first = found.rows[0]?.[field]
  for (const [i, row] of found.rows.entries()) {
    const name = row[field]
    if (typeof name !== 'string' || name === '') {
      throw wrongRow(found, i + 1, `expected \`${field}\` to name a model, got ${show(name)}`)
    }
    if (name === first) continue
    throw wrongRow(found, i + 1, `expected \`${field}\` to be ${show(first)} as in row 1, got ${show(name)}`)
  }
  return first as string
}

/** Checks that no instruction is repeated. @throws DataError with both rows */
export function checkDuplicates(of: RowPlaces, instructions: string[]): void {
  const rows = new Map<string, number>()
  for (const [i, instruction] of instructions.entries()) {
    const earlier = rows.get(instruction)
    if (earlier !== undefined) {
      throw wrongRow(of, i + 1, `has the same instruction as row ${earlier}: ${show(instruction)}`)
    }
    rows.set(instruction, i + 1)
  }
}

/**
 * Checks the order of the benchmark's instructions, because the metric finds an instruction's difficulty by its row.
 * Some may be missing. If fewer than half are the benchmark's, nothing is checked.
 * @returns true if the instructions are the benchmark's
 * @throws DataError with the first row that is out of place
 */
export function checkOrder(of: RowPlaces, instructions: string[]): boolean {
  const places = instructions.map(placeOf)
  const known = places.filter((place) => place !== undefined).length
  if (known * 2 < instructions.length) return false
  let last = -1
  for (const [i, place] of places.entries()) {
    if (place === undefined) {
      throw wrongRow(of, i + 1, `expected an instruction of AlpacaEval, got ${show(instructions[i])}`)
    }
    if (place < last) {
      throw wrongRow(
        of,
        i + 1,
        `is the benchmark's row ${place + 1}, but comes after its row ${last + 1}. Sort the rows as the baseline has them`,
      )
    }
    last = place
  }
  return true
}
