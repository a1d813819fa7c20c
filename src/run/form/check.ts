/** Reads a reply as the JSON that a prompt asks for. */
import { isJson, type ResponseFormat } from '../../core/provider/engine.ts'
import { UsageError } from '../../core/provider/errors.ts'
import { SchemaError } from '../../lib/json-schema/limits.ts'
import { show } from '../../lib/json-schema/problems.ts'
import { innerJson } from '../../lib/json-text.ts'

/** A reply as JSON. */
export interface Reading {
  /** The JSON, without what stands around it; the reply itself if it holds none that is as asked for. */
  text: string
  /** Whether something around the JSON was left out. */
  isStripped: boolean
  /** What is wrong with it, in words. */
  problems: string[]
}

/** Reads replies. @throws UsageError if the schema takes too long to check one */
export type FormCheck = (reply: string) => Reading

/** Where a schema is in a prompt of the API. */
const PLACE = 'responseFormat.json_schema.schema'

/**
 * Makes the check of a format; undefined if the format is text. The validator is loaded when the first schema comes.
 * @param place where the schema is, for errors: the field of a request, or a file
 * @throws UsageError with the path of what is wrong with the schema, as `param` too
 */
export async function openFormCheck(
  format: ResponseFormat | undefined,
  place = PLACE,
): Promise<FormCheck | undefined> {
  if (!format || !isJson(format)) return undefined
  const findProblems = await openProblems(format, place)
  return (reply) => {
    try {
      return read(reply, findProblems)
    } catch (error) {
      throw toUsageError(error, place)
    }
  }
}

type FindProblems = (value: unknown) => string[]

async function openProblems(format: ResponseFormat, place: string): Promise<FindProblems> {
  if (format.type === 'json_object') return expectObject
  const { schema } = (format as { json_schema?: { schema?: unknown } }).json_schema ?? {}
  if (schema === undefined) return () => []
  const { compileSchema } = await import('../../lib/json-schema/schema.ts')
  return compileSchema(schema).catch((error) => {
    throw toUsageError(error, place)
  })
}

function expectObject(value: unknown): string[] {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isObject ? [] : [`expected a JSON object, got ${show(value)}`]
}

function toUsageError(error: unknown, place: string): unknown {
  if (!(error instanceof SchemaError)) return error
  const param = [place, error.path].filter(Boolean).join('.')
  return new UsageError(`${param}: ${error.message}`, { param, code: 'invalid-schema', cause: error })
}

function read(reply: string, findProblems: FindProblems): Reading {
  const problems = findIn(reply, findProblems)
  if (problems.length === 0) return { text: reply, isStripped: false, problems }
  const inner = innerJson(reply)
  const isInside = inner !== undefined && findIn(inner, findProblems).length === 0
  return isInside
    ? { text: inner, isStripped: true, problems: [] }
    : { text: reply, isStripped: false, problems }
}

function findIn(text: string, findProblems: FindProblems): string[] {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return [`expected JSON, got ${show(text)} (${(error as Error).message.slice(0, 100)})`]
  }
  return findProblems(value)
}
