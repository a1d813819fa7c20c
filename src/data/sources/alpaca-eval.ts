/** Output files of several AlpacaEval systems, joined by instruction. They stay in memory: a system has 805 outputs. */
import {
  ask,
  asModel,
  asText,
  attempt,
  type BadRow,
  type RawRecord,
  type Response,
  type Source,
  type SourceRow,
} from '../../files/rows/row.ts'

/** The source `alpaca-eval`. */
export const alpacaEval: Source = {
  about:
    'AlpacaEval output files of several systems: {instruction, output, generator}, joined by instruction',
  async *read(records: AsyncIterable<RawRecord>): AsyncIterable<SourceRow | BadRow> {
    const rows = new Map<string, Response[]>()
    for await (const record of records) {
      const output = attempt(record, readOutput)
      if ('problem' in output) yield output
      else if (!rows.has(output.instruction)) rows.set(output.instruction, [output])
      else rows.get(output.instruction)?.push(output)
    }
    let number = 0
    for (const [instruction, outputs] of rows) {
      const responses = outputs.map(({ text, model }) => ({ text, model }))
      yield { id: `alpaca-eval:${number++}`, prompt: ask(instruction), responses }
    }
  },
}

interface Output extends Response {
  instruction: string
}

function readOutput({ instruction, output, generator }: Record<string, unknown>): Output {
  return {
    instruction: asText(instruction, 'instruction'),
    text: typeof output === 'string' ? output : '',
    model: asModel(generator, 'generator'),
  }
}
