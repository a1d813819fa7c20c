/** Rows in UltraFeedback's shape, made from the texts of real systems' outputs: seeded, as many as asked. */
import fs from 'node:fs'
import path from 'node:path'
import { hashParts, randomFrom } from '../src/lib/random.ts'

interface Output {
  instruction: string
  output: string
  generator: string
}

const ASPECTS = ['helpfulness', 'honesty', 'instruction_following', 'truthfulness']

/** Texts of a folder of AlpacaEval output files. */
export function readOutputs(folder: string): Output[] {
  return fs
    .readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .flatMap((name) => JSON.parse(fs.readFileSync(path.join(folder, name), 'utf8')) as Output[])
}

/**
 * Row `i`. Its prompt is three sentences of answers (the instructions are a benchmark's, and would all be left out);
 * about one in fifty is a near copy of an earlier one.
 */
export function makeRow(i: number, outputs: Output[], sentences: string[]): object {
  const random = randomFrom(hashParts('ultrafeedback row', i))
  const pick = <T>(from: T[]): T => from[Math.floor(random() * from.length)] as T
  const nearCopy = i > 0 && random() < 0.02
  const words = randomFrom(hashParts('ultrafeedback prompt', nearCopy ? i - 1 : i))
  const said = Array.from({ length: 3 }, () => sentences[Math.floor(words() * sentences.length)] as string)
  const chosen = Array.from({ length: 4 }, () => pick(outputs))
  return {
    source: pick(['evol_instruct', 'sharegpt', 'ultrachat', 'flan_v2_cot']),
    instruction: `${nearCopy ? 'Please say' : 'Say'} more clearly: ${said.join(' ')}`,
    models: chosen.map((o) => o.generator),
    completions: chosen.map((o) => {
      const ratings = ASPECTS.map(() => (random() < 0.01 ? 'N/A' : String(1 + Math.floor(random() * 5))))
      const known = ratings.map(Number).filter((x) => !Number.isNaN(x))
      return {
        annotations: Object.fromEntries(
          ASPECTS.map((aspect, k) => [
            aspect,
            { Rating: ratings[k], Rationale: pick(sentences), Type: null, 'Rationale For Rating': null },
          ]),
        ),
        custom_system_prompt: 'As an AI assistant, give answers that are right, clear and to the point.',
        model: o.generator,
        principle: 'helpfulness',
        response: o.output,
        critique: `${pick(sentences)} ${pick(sentences)} ${pick(outputs).output.slice(0, 900)}`,
        'fine-grained_score': known.reduce((a, b) => a + b, 0) / Math.max(1, known.length),
        overall_score: 1 + Math.floor(random() * 10),
      }
    }),
    correct_answers: ['None'],
    incorrect_answers: ['None'],
  }
}

/** Writes `rows` lines and returns their bytes. */
export function writeRows(file: string, rows: number, folder: string): number {
  const outputs = readOutputs(folder)
  const sentences = outputs
    .flatMap(({ output }) => output.split(/(?<=[.!?])\s+/))
    .filter((s) => s.length > 40 && s.length < 300)
  const fd = fs.openSync(file, 'w')
  let bytes = 0
  for (let start = 0; start < rows; start += 500) {
    const part = Array.from({ length: Math.min(500, rows - start) }, (_, k) =>
      JSON.stringify(makeRow(start + k, outputs, sentences)),
    )
    bytes += fs.writeSync(fd, `${part.join('\n')}\n`)
  }
  fs.closeSync(fd)
  return bytes
}
