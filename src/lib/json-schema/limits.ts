/** What a JSON schema may be: it comes from a client, and must not cost more than a value that it describes. */

/** A part of a schema that is not valid here, by its path from the root (`properties.km.pattern`; '' is the root). */
export class SchemaError extends Error {
  override name = 'SchemaError'
  readonly path: string

  constructor(path: string, problem: string) {
    super(problem)
    this.path = path
  }
}

const MAX_CHARS = 256 * 1_024
const MAX_DEPTH = 100
const MAX_PARTS = 5_000

/** A regular expression of a schema. */
export interface Pattern {
  path: string
  source: string
}

/** What the parts of a schema hold that needs a closer look. */
export interface Parts {
  patterns: Pattern[]
  references: { path: string; to: string }[]
}

/**
 * The schema as plain data, and its parts.
 * @throws SchemaError if it is no schema, too large or nested too deeply
 */
export function readParts(schema: unknown): { plain: object | boolean; parts: Parts } {
  if (!isSchema(schema)) throw new SchemaError('', `expected a JSON schema, got ${describe(schema)}`)
  if (typeof schema === 'object' && 'parse' in schema && typeof schema.parse === 'function')
    throw new SchemaError(
      '',
      'expected a JSON schema, got a schema of a library: with zod, z.toJSONSchema(schema)',
    )
  const parts: Parts = { patterns: [], references: [] }
  let count = 0
  const open: { value: unknown; path: string; depth: number }[] = [{ value: schema, path: '', depth: 0 }]
  for (let next = open.pop(); next; next = open.pop()) {
    const { value, path, depth } = next
    if (typeof value !== 'object' || value === null) continue
    if (depth > MAX_DEPTH) throw new SchemaError(shorten(path), `expected at most ${MAX_DEPTH} levels`)
    if (++count > MAX_PARTS) throw new SchemaError('', `expected at most ${MAX_PARTS} objects and lists`)
    note(value, path, parts)
    for (const [name, inner] of Object.entries(value)) {
      open.push({ value: inner, path: join(path, name), depth: depth + 1 })
    }
  }
  const text = writeJson(schema)
  if (text.length > MAX_CHARS)
    throw new SchemaError('', `expected at most ${MAX_CHARS} characters, got ${text.length}`)
  return { plain: JSON.parse(text), parts }
}

function writeJson(schema: object | boolean): string {
  try {
    return JSON.stringify(schema)
  } catch (error) {
    throw new SchemaError('', `expected JSON: ${(error as Error).message}`)
  }
}

function note(value: object, path: string, { patterns, references }: Parts): void {
  const { pattern, patternProperties, $ref, $dynamicRef, $async } = value as Record<string, unknown>
  if ($async === true) throw new SchemaError(join(path, '$async'), 'is not supported')
  if (typeof pattern === 'string') patterns.push({ path: join(path, 'pattern'), source: pattern })
  if (typeof patternProperties === 'object' && patternProperties !== null) {
    const at = join(path, 'patternProperties')
    for (const source of Object.keys(patternProperties)) patterns.push({ path: join(at, source), source })
  }
  for (const [name, to] of Object.entries({ $ref, $dynamicRef })) {
    if (typeof to === 'string') references.push({ path: join(path, name), to })
  }
}

/** The path of a field: names that are not plain are quoted. */
export function join(path: string, name: string): string {
  const step = /^[\w$-]+$/.test(name) ? name : JSON.stringify(name)
  return path === '' ? step : `${path}.${step}`
}

function isSchema(value: unknown): value is object | boolean {
  return typeof value === 'boolean' || (typeof value === 'object' && value !== null && !Array.isArray(value))
}

function describe(value: unknown): string {
  return value === undefined ? 'nothing' : (JSON.stringify(value) ?? String(value)).slice(0, 100)
}

function shorten(path: string): string {
  return path.length <= 200 ? path : `${path.slice(0, 200)}…`
}
