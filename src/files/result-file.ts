/** Reads and checks the results that evaluations write to a folder. */
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { FileError, lookAt } from '../lib/file-error.ts'
import { readJsonl } from '../lib/jsonl.ts'
import { parseJsonFile } from './json-file.ts'
import { readText } from './read-text.ts'
import { checkQuestion, checkResult, type Results } from './result-kinds.ts'

/**
 * Reads `result.json`, and `questions.jsonl` if it is there.
 * @throws FileError if one cannot be read, DataError if it holds something else
 */
export async function readResults(folder: string): Promise<Results> {
  return readResult(folder, path.join(folder, 'result.json'))
}

/** Results, and the files that hold something else. */
export interface ManyResults {
  results: Results[]
  skipped: string[]
}

/**
 * Reads a folder of results, one file of a result, or every `*.json` of a folder that is a result.
 * @throws FileError if there is none, DataError if a file names a task and is not its result
 */
export async function readManyResults(place: string): Promise<ManyResults> {
  if (place.endsWith('.json')) return { results: [await readResult(path.dirname(place), place)], skipped: [] }
  if (existsSync(path.join(place, 'result.json'))) return { results: [await readResults(place)], skipped: [] }
  const names = (await readdir(place).catch(() => [])).filter((name) => name.endsWith('.json')).sort()
  const [results, skipped]: [Results[], string[]] = [[], []]
  for (const name of names) {
    const file = path.join(place, name)
    const { task } = (parseJsonFile(file, readIt(file)) ?? {}) as { task?: unknown }
    if (typeof task === 'string') results.push(await readResult(place, file))
    else skipped.push(name)
  }
  return results.length > 0 ? { results, skipped } : { results: [await readResults(place)], skipped }
}

async function readResult(folder: string, file: string): Promise<Results> {
  const found = checkResult(folder, file, parseJsonFile(file, readIt(file)))
  const list = path.join(folder, 'questions.jsonl')
  const hasList = path.basename(file) === 'result.json' && existsSync(list)
  if (found.kind !== 'controls' || !hasList) return found
  for await (const { value, line } of readJsonl(list)) found.questions.push(checkQuestion(list, line, value))
  return found
}

function readIt(file: string): string {
  const problem = 'there is no such file; expected a folder that `aft eval` or `aft analyze` wrote with -o'
  if (!lookAt(file)) throw new FileError(file, problem, { code: 'ENOENT' })
  return readText(file)
}
