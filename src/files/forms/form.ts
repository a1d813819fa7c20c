/** What a form of rows is, and what all of them share. */
import type { Message } from '../../core/provider/engine.ts'
import { asList, asModel, asScore, type Fields, type Response, wrong } from '../rows/row.ts'

/** One way in which files hold questions and answers. The functions throw a RowProblem for what they cannot read. */
export interface Form {
  name: string
  /** The fields, for people. */
  fields: string
  /** Whether a row has this form. The first form of the list that fits is taken. */
  fits(row: Fields): boolean
  /** What the row asks. */
  ask(row: Fields): Message[]
  /** Several answers to choose from or to aggregate. Absent: a row has at most one answer. */
  responses?(row: Fields): Response[]
  /** The answer that the row calls right or wanted. */
  target?(row: Fields): string | undefined
}

/** Whether a field says something: data sets fill absent fields with nothing. */
export function isSet(value: unknown): boolean {
  return isGiven(value) && value !== '' && value !== false && !(Array.isArray(value) && value.length === 0)
}

/** Whether a field is there. */
export const isGiven = (value: unknown) => value !== undefined && value !== null

/** Whether a value has fields. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The first of these fields that is there: its name and value. */
export function pick(row: Fields, names: string[]): [name: string, value: unknown] {
  const name = names.find((one) => isGiven(row[one])) ?? (names[0] as string)
  return [name, row[name]]
}

/** A response with what else the row says of it; the names are for errors. */
export function toResponse(
  text: string,
  model: [name: string, value: unknown],
  score: [name: string, value: unknown],
): Response {
  const number = asScore(score[1], score[0])
  return { text, model: asModel(model[1], model[0]), ...(number !== undefined && { score: number }) }
}

/** A list that goes with another one, such as ratings with texts; all absent if the row has none. */
export function asTwin(row: Fields, names: string[], length: number): { name: string; values: unknown[] } {
  const [name, value] = pick(row, names)
  if (!isGiven(value)) return { name, values: [] }
  const values = asList(value, name)
  if (values.length !== length) throw wrong(`\`${name}\` to have ${length} elements`, values.length)
  return { name, values }
}
