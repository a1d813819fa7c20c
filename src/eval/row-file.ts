/** Reads the row files of benchmarks: one JSON array, JSON lines (both packed by gzip or not), Parquet, or comma-separated values. */
import { existsSync, statSync } from 'node:fs'
import type { Message } from '../core/provider/engine.ts'
import { DataError } from '../core/provider/errors.ts'
import { formOf } from '../files/forms/forms.ts'
import { readText } from '../files/read-text.ts'
import {
  idFields,
  isPacked,
  isTable,
  parsePlain,
  plain,
  readTable,
  readWholeRecords,
} from '../files/rows/read-records.ts'
import { RowProblem } from '../files/rows/row.ts'
import { jsonReason } from '../lib/explain-json.ts'
import { MAX_LINE_BYTES } from '../lib/jsonl.ts'

/** Ids of 64 bits are kept as they are written. */
const IDS = [...idFields, 'key', 'question_id']

/** One row's fields, unchecked. */
export type Row = Record<string, unknown>

/** The places of rows in a file. Rows and lines count from 1. */
export interface RowPlaces {
  file: string
  /** A JSON array may have several rows on one line, so its errors name the row too. */
  isArray: boolean
  lineOf(row: number): number
}

/** A file's rows, in order. */
export interface RowFile<Fields = Row> extends RowPlaces {
  rows: Fields[]
}

/** Makes the error for a wrong row, with its place. */
export function wrongRow({ file, isArray, lineOf }: RowPlaces, row: number, problem: string): DataError {
  return new DataError(file, lineOf(row), isArray ? `row ${row}: ${problem}` : problem)
}

/** Shows a value in at most 60 characters, for messages. */
export function show(value: unknown): string {
  const text = JSON.stringify(value) ?? (value === undefined ? 'nothing' : String(value))
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

/**
 * Reads a JSON array or JSON lines. A byte order mark is ignored.
 * @throws FileError if the file cannot be read, DataError with the place of a value that is not an object
 */
export async function readRows(file: string): Promise<RowFile> {
  const found = await openRows(file)
  for (const [i, value] of found.rows.entries()) {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) continue
    throw wrongRow(found, i + 1, `expected an object, got ${show(value)}`)
  }
  if (found.rows.length === 0) throw new DataError(file, undefined, 'expected rows, got none')
  return found as RowFile
}

/** What a row asks, in any form, and its answer, if it has one. @throws DataError with the place of a row that asks nothing */
export function readAnswered(
  of: RowPlaces,
  row: Row,
  number: number,
): { messages: Message[]; answer?: string } {
  try {
    const form = formOf(row)
    return { messages: form.ask(row), answer: form.target?.(row) }
  } catch (error) {
    throw error instanceof RowProblem ? wrongRow(of, number, error.message) : error
  }
}

async function openRows(file: string): Promise<RowFile<unknown>> {
  if (existsSync(file) && statSync(file).isFile() && isPacked(file)) return readPacked(file)
  const text = readText(file).replace(/^\uFEFF/, '')
  return text.trimStart().startsWith('[') ? parseArray(file, text) : parseLines(file, text)
}

/** Rows of Parquet, or of JSON that gzip packed. */
async function readPacked(file: string): Promise<RowFile<unknown>> {
  const rows: unknown[] = []
  const lines: number[] = []
  for await (const { value, line } of readWholeRecords(file, MAX_LINE_BYTES)) {
    rows.push(value)
    lines.push(line)
  }
  return { file, isArray: false, rows, lineOf: (row) => lines[row - 1] ?? 1 }
}

function parseArray(file: string, text: string): RowFile<unknown> {
  const lineOf = (row: number) => {
    const start = findElements(text)[row - 1]?.start ?? 0
    const space = /^\s*/.exec(text.slice(start))?.[0].length ?? 0
    return text.slice(0, start + space).split('\n').length
  }
  const places = { file, isArray: true, lineOf }
  try {
    return { ...places, rows: parsePlain(text, IDS) as unknown[] }
  } catch (error) {
    for (const [i, { start, end }] of findElements(text).entries()) {
      const problem = findProblem(text.slice(start, end))
      if (problem !== undefined) throw wrongRow(places, i + 1, problem)
    }
    throw new DataError(file, undefined, `expected a JSON array: ${jsonReason(error)}`)
  }
}

/** Describes what is wrong with an element. */
function findProblem(element: string): string | undefined {
  try {
    JSON.parse(plain(element))
    return undefined
  } catch (error) {
    return `expected a JSON object: ${jsonReason(error)}`
  }
}

/** Finds the elements of an array in its text, even if the text is not valid JSON. */
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

function parseLines(file: string, text: string): RowFile<unknown> {
  const rows: unknown[] = []
  const lines: number[] = []
  for (const [i, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue
    lines.push(i + 1)
    try {
      rows.push(parsePlain(line, IDS))
    } catch (error) {
      const problem = `expected one JSON object, got ${show(line.trim())} (${jsonReason(error)})`
      throw new DataError(file, i + 1, problem)
    }
  }
  const [first] = rows
  if (rows.length === 1 && isTable(first))
    return {
      file,
      isArray: true,
      rows: [...readTable(file, text)].map(({ value }) => value),
      lineOf: () => 1,
    }
  return { file, isArray: false, rows, lineOf: (row) => lines[row - 1] ?? 1 }
}

/**
 * Reads comma-separated values without quotes. The first line has the column names.
 * @throws FileError if the file cannot be read, DataError if a column is missing or a row is too short
 */
export async function readCsv(
  file: string,
  columns: string[],
  what: string,
): Promise<RowFile<Record<string, string>>> {
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
  const places = { file, isArray: false, lineOf: (row: number) => row + 1 }
  const rows = lines.map((line, i) => {
    const cells = line.split(',')
    if (cells.length !== names.length) {
      throw wrongRow(places, i + 1, `expected ${names.length} cells, got ${cells.length}`)
    }
    return Object.fromEntries(names.map((name, k) => [name, cells[k] as string]))
  })
  return { ...places, rows }
}
