/** Reads output files of AlpacaEval, and pairs the answers of two systems. */
import { DataError } from '../core/provider/errors.ts'
import { BENCHMARK_BASELINE, checkDuplicates, checkOrder } from './annotations.ts'
import { type Row, type RowFile, type RowPlaces, readRows, show, wrongRow } from './row-file.ts'

/** A system's answer to one instruction. */
export interface Output {
  instruction: string
  output: string
  dataset?: string
}

/** A system's answers. */
export interface Outputs extends RowPlaces {
  generator: string
  rows: Output[]
}

/**
 * Reads a system's outputs.
 * An empty output is an answer too: it is judged as the others are.
 * @throws DataError with the row that is no output, repeated or from another generator; FileError
 */
export async function readOutputs(file: string): Promise<Outputs> {
  const found = await readRows(file)
  const rows = found.rows.map((row, i) => readOutput(found, row, i + 1))
  const generator = readGenerator(found)
  const instructions = rows.map((row) => row.instruction)
  checkDuplicates(found, instructions)
  checkOrder(found, instructions)
  return { ...found, generator, rows }
}

function readOutput(of: RowPlaces, row: Row, number: number): Output {
  const { instruction, output, dataset } = row
  if (typeof instruction !== 'string' || instruction.trim() === '') {
    throw wrongRow(of, number, `expected \`instruction\` to be text, got ${show(instruction)}`)
  }
  if (typeof output !== 'string') {
    const hint = 'output_1' in row ? '. Is this a file of annotations, not of outputs?' : ''
    throw wrongRow(of, number, `expected \`output\` to be text, got ${show(output)}${hint}`)
  }
  return { instruction, output, ...(typeof dataset === 'string' && { dataset }) }
}

function readGenerator(found: RowFile): string {
  const { rows } = found
  const first = rows[0]?.generator
  for (const [i, { generator }] of rows.entries()) {
    if (typeof generator !== 'string' || generator === '') {
      throw wrongRow(found, i + 1, `expected \`generator\` to name a model, got ${show(generator)}`)
    }
    if (generator !== first) {
      throw wrongRow(
        found,
        i + 1,
        `expected \`generator\` to be ${show(first)} as in row 1, got ${show(generator)}`,
      )
    }
  }
  return first as string
}

/** A system's answer with the baseline's. */
export interface OutputPair extends Output {
  /** Row of the system's file, from 1. */
  row: number
  baseline: string
}

/**
 * Pairs a system's outputs with the baseline's. Both files must have the same order.
 * @throws DataError with a row that the baseline does not have or has in another order, or if the files are swapped
 */
export function pairOutputs(outputs: Outputs, baseline: Outputs): OutputPair[] {
  const { file } = outputs
  if (outputs.generator === BENCHMARK_BASELINE && baseline.generator !== BENCHMARK_BASELINE) {
    const problem = `holds the outputs of ${BENCHMARK_BASELINE}, and ${baseline.file} is the baseline`
    throw new DataError(file, undefined, `${problem}. Are the two files swapped?`)
  }
  const places = new Map(baseline.rows.map((row, i) => [row.instruction, i]))
  let last = -1
  return outputs.rows.map((row, i) => {
    const place = places.get(row.instruction)
    if (place === undefined) {
      throw wrongRow(outputs, i + 1, `${baseline.file} has no such instruction: ${show(row.instruction)}`)
    }
    if (place < last) {
      const where = `is row ${place + 1} of ${baseline.file}, but comes after its row ${last + 1}`
      throw wrongRow(outputs, i + 1, `${where}. Sort the rows as the baseline has them`)
    }
    last = place
    return { ...row, row: i + 1, baseline: (baseline.rows[place] as Output).output }
  })
}
