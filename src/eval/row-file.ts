/** Files of rows as benchmarks have them: one JSON array, JSON lines, or comma-separated values. Errors name the row. */
import { readFile } from 'node:fs/promises'
import { DataError } from '../core/provider/errors.ts'
import { toFileError } from '../lib/file-error.ts'

export type Row = Record<string, unknown>

/** A row that is not as it should be. Rows count from 1. */
export function wrongRow(file: string, row: number, problem: string): DataError {
  return new DataError(file, undefined, `row ${row}: ${problem}`)
}

/** What came, short enough for a message. */
export function show(value: unknown): string {
  const text = JSON.stringify(value) ?? (value === undefined ? 'nothing' : String(value))
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

/**
 * All rows, in order. A byte order mark is accepted.
 * @throws FileError where the file cannot be read, DataError where it holds something else
 */
export async function readRows(file: string): Promise<Row[]> {
  const text = await readText(file)
  const values = text.trimStart().startsWith('[') ? parseArray(file, text) : parseLines(file, text)
  for (const [i, value] of values.entries()) {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) continue
    throw wrongRow(file, i + 1, `expected an object, got ${show(value)}`)
  }
  if (values.length === 0) throw new DataError(file, undefined, 'expected rows, got none')
  return values as Row[]
}

async function readText(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).replace(/^\uFEFF/, '')
  } catch (error) {
    throw toFileError(file, error)
  }
}

function parseArray(file: string, text: string): unknown[] {
  try {
    return JSON.parse(text)
  } catch (error) {
    for (const [i, { start, end }] of findElements(text).entries()) {
      const problem = findProblem(text.slice(start, end))
      if (problem === undefined) continue
      const line = text.slice(0, start).split('\n').length
      throw new DataError(file, line, `row ${i + 1}: ${problem}`)
    }
    throw new DataError(file, undefined, `expected a JSON array: ${(error as Error).message}`)
  }
}

/** Python writes numbers that JSON does not have. */
function findProblem(element: string): string | undefined {
  try {
    JSON.parse(element)
    return undefined
  } catch (error) {
    const bare = element.replace(/"(?:[^"\\]|\\.)*"/g, '').match(/-?\b(NaN|Infinity)\b/)?.[0]
    return bare ? `expected a number, got ${bare}` : `expected a JSON object: ${(error as Error).message}`
  }
}

/** Where the elements of an array lie in its text, whole JSON or not. */
function findElements(text: string): { start: number; end: number }[] {
  const elements: { start: number; end: number }[] = []
  let [depth, isString, start] = [0, false, text.indexOf('[') + 1]
  for (let i = 0; i < text.length; i++) {
    const c = text[i] as string
    if (isString) {
      if (c === '\\') i++
      else if (c === '"') isString = false
    } else if (c === '"') isString = true
    else if (c === '[' || c === '{') depth++
    else if (c === '}' || c === ']') depth--
    if (isString || (c === ',' ? depth !== 1 : c !== ']' || depth !== 0)) continue
    elements.push({ start, end: i })
    start = i + 1
  }
  if (depth > 0) elements.push({ start, end: text.length })
  return elements
}

function parseLines(file: string, text: string): unknown[] {
  const values: unknown[] = []
  for (const [i, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue
    try {
      values.push(JSON.parse(line))
    } catch (error) {
      const problem = `expected one JSON object, got ${show(line.trim())} (${(error as Error).message})`
      throw new DataError(file, i + 1, `row ${values.length + 1}: ${problem}`)
    }
  }
  return values
}

/**
 * Rows of comma-separated values without quotes, by the names of the first line.
 * @throws FileError where the file cannot be read, DataError where a column is missing or a row is too short
 */
export async function readCsv(
  file: string,
  columns: string[],
  what: string,
): Promise<Record<string, string>[]> {
  const [head = '', ...lines] = (await readText(file)).trimEnd().split(/\r?\n/)
  const names = head.split(',')
  const missing = columns.filter((name) => !names.includes(name))
  if (missing.length > 0) {
    throw new DataError(
      file,
      1,
      `expected ${what}, with the columns ${columns.join(', ')}; got ${show(head)}. Are two files swapped?`,
    )
  }
  if (lines.length === 0) throw new DataError(file, undefined, 'expected rows, got none')
  return lines.map((line, i) => {
    const cells = line.split(',')
    if (cells.length !== names.length) {
      throw new DataError(file, i + 2, `row ${i + 1}: expected ${names.length} cells, got ${cells.length}`)
    }
    return Object.fromEntries(names.map((name, k) => [name, cells[k] as string]))
  })
}
