/** The prompts of benchmark files, whatever they call them. */
import path from 'node:path'
import { textOf } from '../core/provider/engine.ts'
import { listFiles, readRecords } from '../files/rows/read-records.ts'
import { asFields, RowProblem } from '../files/rows/row.ts'
import { type FingerprintSet, makeFingerprints } from './fingerprints.ts'
import { readPrompt } from './sources/responses.ts'

/**
 * User turns of every row of a file: `turns`, `messages`, `prompt`, `instruction` or `question`.
 * @throws RowProblem with file and line for a row that has none
 */
export async function readBenchmark(file: string): Promise<string[]> {
  const prompts: string[] = []
  for await (const { line, value, problem } of readRecords([file])) {
    try {
      if (problem !== undefined) throw new RowProblem(problem)
      const row = asFields(value)
      if (Array.isArray(row.turns)) prompts.push(...row.turns.map(String))
      else
        prompts.push(
          ...readPrompt(row)
            .filter((m) => m.role === 'user')
            .map(textOf),
        )
    } catch (error) {
      throw error instanceof RowProblem ? new RowProblem(`${file}:${line}: ${error.message}`) : error
    }
  }
  return prompts
}

/** Fingerprints of the files in a folder, one set a file, called as the file is. */
export async function fingerprintFolder(folder: string): Promise<FingerprintSet[]> {
  const sets: FingerprintSet[] = []
  for (const file of listFiles(folder)) {
    sets.push(makeFingerprints(path.basename(file).split('.')[0] as string, await readBenchmark(file)))
  }
  return sets
}
