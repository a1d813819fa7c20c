/**
 * Checks values with a JSON schema (2020-12, 2019-09, draft-07 and earlier). A schema may come from anywhere: its size, and
 * the time of each step, are bounded. Nothing is fetched. `format` is not checked.
 */
import { createHash } from 'node:crypto'
import type { ErrorObject, Options, ValidateFunction } from 'ajv'
import { TimeLimitError, within } from '../time-limit.ts'
import { type Parts, readParts, SchemaError } from './limits.ts'
import { toRegExp, tryPattern } from './patterns.ts'
import { describeProblems, describeWish } from './problems.ts'

/** Says what is wrong with a value, in words; nothing if it is as the schema says. @throws SchemaError if that takes too long */
export type CheckValue = (value: unknown) => string[]

const COMPILE_MS = 2_000
const CHECK_MS = 250
const MAX_KEPT = 64

/** Checks by the hash of their schema; the oldest goes first. A schema that failed would fail again. */
const kept = new Map<string, CheckValue | SchemaError>()

/**
 * Makes the check of a schema.
 * @throws SchemaError with the path of what is wrong, too large, too slow or not in the schema
 * @example
 * const check = await compileSchema({ type: 'object', required: ['km'] })
 * check({}) // ['expected `km` to be there, got nothing']
 */
export async function compileSchema(schema: unknown): Promise<CheckValue> {
  const { plain, parts } = readParts(schema)
  const key = createHash('sha256').update(JSON.stringify(plain)).digest('base64')
  const found = kept.get(key) ?? (await compile(plain, parts).catch(asFailure))
  keep(key, found)
  if (found instanceof SchemaError) throw found
  return (value) => {
    try {
      return found(value)
    } catch (error) {
      if (error instanceof SchemaError) keep(key, error)
      throw error
    }
  }
}

function asFailure(error: unknown): SchemaError {
  if (error instanceof SchemaError) return error
  throw error
}

function keep(key: string, made: CheckValue | SchemaError): void {
  kept.delete(key)
  kept.set(key, made)
  for (const oldest of kept.keys()) {
    if (kept.size <= MAX_KEPT) return
    kept.delete(oldest)
  }
}

async function compile(plain: object | boolean, parts: Parts): Promise<CheckValue> {
  for (const pattern of parts.patterns) tryPattern(pattern)
  const validate = await makeValidator(plain, parts)
  const check: CheckValue = (value) => {
    try {
      if (within(CHECK_MS, () => validate(value))) return []
    } catch (error) {
      if (error instanceof TimeLimitError) throw new SchemaError('', `checking a value ${error.message}`)
      if (error instanceof RangeError) return [TOO_DEEP]
      throw error
    }
    return describeProblems(validate.errors ?? [], value)
  }
  const isEndless = [null, 0, '', {}, []].every((value) => check(value)[0] === TOO_DEEP)
  if (isEndless) throw new SchemaError('', 'refers to itself without end')
  return check
}

const TOO_DEEP = 'expected the value to have fewer levels'

interface Compiler {
  errors?: ErrorObject[] | null
  validateSchema(schema: object | boolean): unknown
  compile(schema: object | boolean): unknown
}

/** Compiles in the dialect that the schema names. If it names none, the newest in which it is valid counts. */
async function makeValidator(plain: object | boolean, parts: Parts): Promise<ValidateFunction> {
  const { $schema, ...named } = plain as { $schema?: unknown }
  const schema = typeof plain === 'object' ? named : plain
  let problem: SchemaError | undefined
  for (const open of dialectsOf($schema)) {
    const compiler = await open()
    try {
      if (within(COMPILE_MS, () => compiler.validateSchema(schema))) {
        return within(COMPILE_MS, () => compiler.compile(schema)) as ValidateFunction
      }
    } catch (error) {
      throw explain(error as Error, parts)
    }
    problem ??= toProblem(compiler.errors?.[0], schema)
  }
  throw problem as SchemaError
}

function toProblem(error: ErrorObject | undefined, schema: unknown) {
  if (!error) return new SchemaError('', 'is not valid')
  return new SchemaError(error.instancePath.split('/').slice(1).join('.'), describeWish(error, schema))
}

const options: Options = {
  strict: false,
  // The code of each property then stands by itself, so that thousands of them can be compiled.
  allErrors: true,
  ownProperties: true,
  validateFormats: false,
  inlineRefs: false,
  logger: false,
  code: { optimize: false, regExp: Object.assign(toRegExp, { code: 'toRegExp' }) },
}
const draft07 = async (): Promise<Compiler> => new (await import('ajv')).Ajv(options)
const draft2019 = async (): Promise<Compiler> => new (await import('ajv/dist/2019.js')).Ajv2019(options)
const draft2020 = async (): Promise<Compiler> => new (await import('ajv/dist/2020.js')).Ajv2020(options)

function dialectsOf(name: unknown): (() => Promise<Compiler>)[] {
  if (name === undefined) return [draft2020, draft07]
  const found = /^https?:\/\/json-schema\.org\/(draft-0[34567]|draft\/20(?:19-09|20-12))\/schema#?$/.exec(
    String(name),
  )
  if (found?.[1] === 'draft/2020-12') return [draft2020]
  if (found?.[1] === 'draft/2019-09') return [draft2019]
  if (found) return [draft07]
  throw new SchemaError('$schema', 'expected draft-07, 2019-09 or 2020-12 of json-schema.org')
}

/** What compiling threw, with the path of the part that it is about. */
function explain(error: Error, { references }: Parts): Error {
  if (error instanceof TimeLimitError)
    return new SchemaError('', `compiling it ${error.message}: make it smaller`)
  if (error instanceof RangeError) return new SchemaError('', 'has too many levels or parts')
  const { missingRef } = error as { missingRef?: string }
  if (missingRef === undefined) return new SchemaError('', error.message)
  const reference =
    references.find(({ to }) => to === missingRef) ?? references.find(({ to }) => missingRef.endsWith(to))
  const to = (reference?.to ?? missingRef).slice(0, 200)
  return new SchemaError(
    reference?.path ?? '',
    `refers to "${to}", which is not in the schema; nothing is fetched`,
  )
}
