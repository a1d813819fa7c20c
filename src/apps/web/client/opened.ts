/** Files that a reader opens: journals of `aft run`, and all that `aft eval` leaves in its folder. Nothing is sent. */
import { readComparisons, readQuestions } from './evaluations.ts'
import { type Journal, readJournal } from './journal.ts'

/** Longest file, in characters. A browser needs several times as much memory. */
const MOST_CHARS = 200_000_000

/** A `result.json`, before its shape is checked. */
export interface ResultFile {
  name: string
  value: object
}

/** What a file holds: journals, or the numbers of a result. */
export interface Found {
  journals: Journal[]
  results: ResultFile[]
}

/**
 * Reads a file: one journal, or one per control of an evaluation, or its numbers.
 * @throws Error that names the file and says what was expected
 */
export function readOpened(name: string, content: string): Found {
  if (content.length > MOST_CHARS)
    throw new Error(`${name} is too large: expected at most ${MOST_CHARS / 1e6} million characters`)
  const whole = parse(content)
  if (isResult(whole)) return { journals: [], results: [{ name, value: whole }] }
  const lines = content.split('\n').filter((line) => line.trim() !== '')
  if (isTaskHeader(parse(lines[0] ?? '')))
    throw new Error(
      `${name} is the working journal of an evaluation: open questions.jsonl of the same folder`,
    )
  const pairs = readComparisons(name, whole)
  const found = pairs.length > 0 ? pairs : readQuestions(name, lines.map(parse))
  return { journals: found.length > 0 ? found : [readJournal(name, content)], results: [] }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null

/** True for `result.json` of an evaluation or an analysis. */
const isResult = (value: unknown): value is object =>
  isObject(value) && typeof value.task === 'string' && !('type' in value)

const isTaskHeader = (value: unknown) =>
  isObject(value) && value.type === 'header' && typeof value.task === 'string'

function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
