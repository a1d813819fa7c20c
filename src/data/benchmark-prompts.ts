/** Reads the benchmarks whose prompts must not be in a data set: those that come with the program, and files. */
import path from 'node:path'
import { textOf } from '../core/provider/engine.ts'
import { DataError, UsageError } from '../core/provider/errors.ts'
import { listFiles, readRecords } from '../files/rows/read-records.ts'
import { asFields, RowProblem } from '../files/rows/row.ts'
import { type FingerprintSet, makeFingerprints, readOwnFingerprints } from './fingerprints.ts'
import { readPrompt } from './sources/responses.ts'

/**
 * Reads the user turns of every row of a file, from `turns`, `messages`, `prompt`, `instruction` or `question`.
 * @throws DataError with file and line for a row without any of them
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
      throw error instanceof RowProblem ? new DataError(file, line, error.message) : error
    }
  }
  return prompts
}

/** Makes one set of fingerprints per file of a folder, with the name of the file up to its first dot. */
export async function fingerprintFolder(folder: string): Promise<FingerprintSet[]> {
  const sets: FingerprintSet[] = []
  for (const file of listFiles(folder)) {
    sets.push(makeFingerprints(path.basename(file).split('.')[0] as string, await readBenchmark(file)))
  }
  return sets
}

/**
 * Chooses `all` sets that come with the program, `none`, or those named (separated by commas). It adds one set per file
 * of `folder`.
 * @throws UsageError for an unknown name
 */
export async function chooseBenchmarks(sets: string, folder?: string): Promise<FingerprintSet[]> {
  const own = sets === 'none' ? [] : readOwnFingerprints()
  const wanted = sets === 'all' || sets === 'none' ? undefined : sets.split(',')
  const unknown = wanted?.find((name) => !own.some((set) => set.name === name))
  if (unknown !== undefined) {
    const names = own.map((set) => set.name).join(', ')
    throw new UsageError(`--decontaminate has no set "${unknown}"; there are: ${names}`)
  }
  const chosen = own.filter(({ name }) => wanted?.includes(name) ?? true)
  return folder === undefined ? chosen : [...chosen, ...(await fingerprintFolder(folder))]
}
