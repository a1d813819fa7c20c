/** JSON schemas in files: one for the answers of a command, or one in a prompt's row. */
import type { Prompt } from '../core/plan.ts'
import type { ResponseFormat } from '../core/provider/engine.ts'
import { UsageError } from '../core/provider/errors.ts'
import { SchemaError } from '../lib/json-schema/limits.ts'
import { toCallersError } from './file-errors.ts'
import { parseJsonFile } from './json-file.ts'
import { readText } from './read-text.ts'
import { wrong } from './rows/row.ts'

/**
 * The response format of a schema, which is checked.
 * @param schema a file, or the schema itself
 * @throws UsageError if the file cannot be read or the schema is not valid, DataError if the file is not JSON
 */
export async function readFormat(schema: string | Record<string, unknown>): Promise<ResponseFormat> {
  const value = typeof schema === 'string' ? await readJson(schema) : schema
  const problem = await findProblem(value)
  const place = typeof schema === 'string' ? schema : 'schema'
  if (problem)
    throw new UsageError(`${place}: ${describe(problem)}`, { param: 'schema', code: 'invalid-schema' })
  const { title } = value as { title?: unknown }
  const name = typeof title === 'string' ? title.replace(/[^\w-]+/g, '_').slice(0, 64) : ''
  return {
    type: 'json_schema',
    json_schema: { name: name || 'answer', schema: value as Record<string, unknown> },
  }
}

/** Checks the schema that a row brings. @throws RowProblem with the path of what is wrong */
export async function checkFormat({ responseFormat }: Prompt): Promise<void> {
  if (responseFormat?.type !== 'json_schema') return
  const { schema } = responseFormat.json_schema
  const problem = schema === undefined ? undefined : await findProblem(schema)
  if (!problem) return
  throw wrong(`\`response_format\` to hold a JSON schema (${describe(problem)})`, schema)
}

async function findProblem(schema: unknown): Promise<SchemaError | undefined> {
  const { compileSchema } = await import('../lib/json-schema/schema.ts')
  try {
    await compileSchema(schema)
    return undefined
  } catch (error) {
    if (error instanceof SchemaError) return error
    throw error
  }
}

function describe({ path, message }: SchemaError): string {
  return path === '' ? message : `${path}: ${message}`
}

async function readJson(file: string): Promise<unknown> {
  try {
    return parseJsonFile(file, readText(file))
  } catch (error) {
    throw toCallersError(error)
  }
}
