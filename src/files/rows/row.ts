/** Rows: what sources give, one per prompt, and the examples that building makes of them. */
import { type Message, textOf } from '../../core/provider/engine.ts'
import { describeWrong } from '../file-errors.ts'
import { readMessages } from '../messages.ts'

/** One of a prompt's responses. A higher score is better; scores are compared within a row only. */
export interface Response {
  text: string
  model: string
  score?: number
  /** Whether the model that is to be tuned wrote it. */
  onPolicy?: boolean
}

/** A prompt with its responses. `target` is the aggregation to learn, if the source has one. */
export interface SourceRow {
  id: string
  prompt: Message[]
  responses: Response[]
  target?: string
}

/** A record that is no row, with its place (`FILE:LINE`) and what is wrong with it. */
export interface BadRow {
  place: string
  problem: string
}

/** One line of `train.jsonl`: the aggregator's messages as at inference, and what it should write. */
export interface Example {
  id: string
  prompt: Message[]
  completion: [{ role: 'assistant'; content: string }]
  source: string
  /** In the order shown; none in a plain example. */
  proposals: {
    model: string
    onPolicy: boolean
    /** Index of the message of the prompt that shows it; absent: 0, the system message. */
    at?: number
    /** Where its text is in that message: from and to, in UTF-16 code units. */
    span?: [from: number, to: number]
    /** In characters. */
    trimmedTo?: number
  }[]
  template: string
}

/** A record of a file: its place, and its value or what is wrong with it. */
export interface RawRecord {
  file: string
  /** From 1: a line, or a row of a Parquet file. */
  line: number
  /** From 1, where lines do not number the rows: an element of an array, a row of CSV. */
  row?: number
  value?: unknown
  problem?: string
}

/** One kind of data: what its records mean. */
export interface Source {
  about: string
  /** Top-level columns to read of Parquet files; all if absent. One that a file lacks is an error. */
  columns?: string[]
  /** Further columns, read if a file has them. */
  optionalColumns?: string[]
  /** Whether each record is a row by itself, so that threads can share them out. */
  isPerRecord?: boolean
  read(records: AsyncIterable<RawRecord>): AsyncIterable<SourceRow | BadRow>
}

/** A kind of data that the program makes: no file is read. */
export interface MadeSource {
  about: string
  /** The same rows for the same arguments. They are alike on purpose: near-duplicates are kept. */
  make(count: number, seed: number, which?: string): Iterable<SourceRow>
}

/** The record is not of the expected format; it becomes a `BadRow`. */
export class RowProblem extends Error {}

/** The fields of a record. */
export type Fields = Record<string, unknown>

/** Reads a source with one row per record: a build that resumes counts on it. `toRow` throws a `RowProblem`. */
export function perRecord(
  toRow: (fields: Fields, id: string) => SourceRow,
): Pick<Source, 'read' | 'isPerRecord'> {
  return {
    isPerRecord: true,
    async *read(records) {
      for await (const record of records) yield attempt(record, toRow)
    },
  }
}

/** Turns a record into a row. A `RowProblem` becomes a `BadRow`. */
export function attempt<Row>(record: RawRecord, toRow: (fields: Fields, id: string) => Row): Row | BadRow {
  const place = `${record.file}:${record.line}`
  if (record.problem !== undefined) return { place, problem: record.problem }
  try {
    return toRow(asFields(record.value), `${record.file.split(/[\\/]/).at(-1)}:${record.row ?? record.line}`)
  } catch (error) {
    if (!(error instanceof RowProblem)) throw error
    return { place, problem: error.message }
  }
}

/** The value as an object. @throws RowProblem for anything else */
export function asFields(value: unknown, field = 'the record'): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields
  throw wrong(`${field} to be an object`, value)
}

/** The value as a text that is not blank. @throws RowProblem for anything else */
export function asText(value: unknown, field: string): string {
  if (typeof value === 'string' && value.trim() !== '') return value
  throw wrong(`\`${field}\` to hold text`, value)
}

/** The value as a list. @throws RowProblem for anything else */
export function asList(value: unknown, field: string): unknown[] {
  if (Array.isArray(value)) return value
  throw wrong(`\`${field}\` to be a list`, value)
}

const NO_SCORE = /^\s*(n\/?a|none|null|nan|-)?\s*$/i

/**
 * The value as a number, also if it is a text with a number in it. Undefined if there is none: absent, null, NaN, "N/A".
 * @throws RowProblem for anything else, which would be lost
 */
export function asScore(value: unknown, field = 'score'): number | undefined {
  if (value === undefined || value === null || (typeof value === 'string' && NO_SCORE.test(value)))
    return undefined
  const score = typeof value === 'string' ? Number(value) : value
  if (typeof score !== 'number') throw wrong(`\`${field}\` to be a number`, value)
  if (Number.isFinite(score)) return score
  if (typeof value === 'number') return undefined
  throw wrong(`\`${field}\` to be a number`, value)
}

/** The value as a model's name; "unknown" if it is absent. @throws RowProblem if it is neither text nor a number */
export function asModel(value: unknown, field = 'model'): string {
  if (value === undefined || value === null || value === '') return 'unknown'
  if (typeof value === 'string' || typeof value === 'number') return String(value)
  throw wrong(`\`${field}\` to be text`, value)
}

/** The value as an id; the row's place if it is absent. @throws RowProblem if it is neither text nor a number */
export function asId(value: unknown, place: string, field = 'id'): string {
  if (value === undefined || value === null || value === '') return place
  if (typeof value === 'string' || typeof value === 'number') return String(value)
  throw wrong(`\`${field}\` to be text or a number`, value)
}

/** The value as a list of messages that ends with a turn to answer. @throws RowProblem for anything else */
export function asMessages(value: unknown, field: string): Message[] {
  return checkQuestion(readMessages(value, field, wrong), field)
}

/**
 * Checks that a conversation can be trained on: its last turn is to be answered, some turn asks, and all of it is text. Text in
 * parts becomes one text: loaders of trainers need one type in all rows.
 * @throws RowProblem if not
 */
export function checkQuestion(messages: Message[], field: string): Message[] {
  const last = messages.at(-1)
  if (last?.role === 'assistant') throw wrong(`\`${field}\` to end with a turn to answer`, last.role)
  for (const { content } of messages) {
    const other = Array.isArray(content) && content.find(({ type }) => type !== 'text')
    if (other) throw wrong(`\`${field}\` to be text: training reads nothing else`, other.type)
  }
  const asks = messages.some(
    (one) => one.role !== 'system' && one.role !== 'developer' && textOf(one).trim() !== '',
  )
  if (!asks) throw wrong(`\`${field}\` to hold a question`, last?.content)
  return messages.map((one) => (Array.isArray(one.content) ? { ...one, content: textOf(one) } : one))
}

/** A conversation of one turn. */
export function ask(content: string): Message[] {
  return [{ role: 'user', content }]
}

/** The problem of a field, in words. @param expected such as `` `id` to be text `` */
export function wrong(expected: string, got: unknown): RowProblem {
  return new RowProblem(describeWrong(expected, got))
}
