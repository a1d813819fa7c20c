/**
 * JSON schemas as the library's grammar takes them. It knows a part of JSON Schema, and drops the rest silently or makes it
 * null. So what it does not know is rewritten if that says the same, and otherwise refused with its path.
 */

type Schema = Record<string, unknown>

/** A keyword that no grammar here can keep to, by its path from the root of the schema. */
export class SchemaProblem extends Error {
  readonly path: string

  constructor(path: string, problem: string) {
    super(problem)
    this.path = path
  }
}

/** Assertions without a grammar. */
const UNKNOWN = [
  ...'not if then else contains minContains maxContains uniqueItems additionalItems pattern'.split(' '),
  ...'patternProperties propertyNames dependentRequired dependentSchemas dependencies nullable'.split(' '),
]
const FORMATS = ['date', 'time', 'date-time']
/** The keywords of each type. */
const OF_TYPE: Record<string, string[]> = {
  object: ['properties', 'required', 'additionalProperties', 'minProperties', 'maxProperties'],
  array: ['items', 'prefixItems', 'minItems', 'maxItems'],
  string: ['minLength', 'maxLength', 'format'],
  number: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
  integer: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
  boolean: [],
  null: [],
}
const ASSERTIONS = new Set([...Object.values(OF_TYPE).flat(), 'type', 'enum', 'const', '$ref'])
const COMBINED = ['oneOf', 'anyOf', 'allOf']
/** A bounded whole number is one of so many values at most. */
const MAX_VALUES = 1000

/**
 * The schema in the library's words.
 * @throws SchemaProblem for a keyword that cannot be kept to
 */
export function toGrammarSchema(schema: unknown): Schema {
  const root = schema as Schema
  const definitions = { ...asSchemas(root.definitions), ...asSchemas(root.$defs) }
  const names = new Set(Object.keys(definitions))
  const $defs: Schema = {}
  for (const [name, definition] of Object.entries(definitions))
    $defs[name] = convert(definition, `$defs.${name}`, names)
  const converted = convert(schema, '', names)
  return names.size > 0 ? { ...converted, $defs } : converted
}

function asSchemas(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Schema) : {}
}

function convert(schema: unknown, path: string, names: Set<string>): Schema {
  if (schema === true) return anything()
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema))
    throw new SchemaProblem(path, `expected a schema, got ${JSON.stringify(schema)}`)
  const fields = schema as Schema
  const unknown = UNKNOWN.find((name) => fields[name] !== undefined && fields[name] !== false)
  if (unknown !== undefined) throw refuse(path, unknown)
  if (fields.$ref !== undefined) return convertReference(fields, path, names)
  const combined = COMBINED.filter((name) => fields[name] !== undefined)
  if (combined.length > 0) return convertCombined(fields, path, names, combined)
  if (fields.const !== undefined) return { const: plainValue(fields.const, at(path, 'const')) }
  if (fields.enum !== undefined) return convertEnum(fields, path)
  const types = typesOf(fields)
  if (types.length === 0) return anything()
  const alternatives = types.map((type) => convertType(type, fields, path, names))
  return alternatives.length === 1 ? (alternatives[0] as Schema) : { oneOf: alternatives }
}

/** Any JSON value. */
function anything(): Schema {
  const basic = ['string', 'number', 'boolean', 'null'].map((type): Schema => ({ type }))
  return { oneOf: basic.concat({ type: 'object', additionalProperties: true }, { type: 'array' }) }
}

function typesOf({ type, ...fields }: Schema): string[] {
  if (type !== undefined) return [type].flat() as string[]
  const implied = ['object', 'array', 'string', 'number'] as const
  return implied.filter((name) => OF_TYPE[name]?.some((keyword) => fields[keyword] !== undefined))
}

function convertReference(fields: Schema, path: string, names: Set<string>): Schema {
  const [, name] = /^#\/(?:\$defs|definitions)\/([^/]+)$/.exec(String(fields.$ref)) ?? []
  if (name === undefined || !names.has(name)) throw refuse(path, '$ref')
  refuseBeside('$ref', fields, path)
  return { $ref: `#/$defs/${name}` }
}

/** Alternatives: which of them is meant does not matter to a grammar. All of one is that one. */
function convertCombined(fields: Schema, path: string, names: Set<string>, combined: string[]): Schema {
  const [name = '', second] = combined
  if (second !== undefined) throw refuse(path, second)
  const { type, ...others } = fields
  refuseBeside(name, others, path)
  const list = fields[name]
  const isList = Array.isArray(list) && list.length > 0
  if (!isList || (name === 'allOf' && list.length > 1)) throw refuse(path, name)
  const alternatives = list.map((inner: unknown, i) => {
    const typed = type !== undefined && isTypeless(inner) ? { type, ...inner } : inner
    return convert(typed, at(path, `${name}.${i}`), names)
  })
  return alternatives.length === 1 ? (alternatives[0] as Schema) : { oneOf: alternatives }
}

function isTypeless(schema: unknown): schema is Schema {
  if (typeof schema !== 'object' || schema === null) return false
  return !['type', '$ref', ...COMBINED].some((name) => name in schema)
}

/** Other assertions at the same place would hold too, which a grammar cannot say. */
function refuseBeside(name: string, fields: Schema, path: string): void {
  const other = Object.keys(fields).find((keyword) => keyword !== name && ASSERTIONS.has(keyword))
  if (other !== undefined)
    throw new SchemaProblem(at(path, other), `"${other}" beside "${name}" cannot be kept to`)
}

function convertEnum({ enum: values, type }: Schema, path: string): Schema {
  const types = type === undefined ? undefined : [type].flat()
  const fits = (value: unknown) => !types || types.some((name) => isOfType(value, String(name)))
  const kept = Array.isArray(values) ? values.filter(fits) : []
  if (kept.length === 0) throw refuse(path, 'enum')
  return { enum: kept.map((value) => plainValue(value, at(path, 'enum'))) }
}

function isOfType(value: unknown, type: string): boolean {
  if (type === 'integer') return Number.isInteger(value)
  if (type === 'null') return value === null
  if (type === 'array') return Array.isArray(value)
  return typeof value === type && value !== null && !(type === 'object' && Array.isArray(value))
}

function plainValue(value: unknown, path: string): unknown {
  if (typeof value !== 'object' || value === null) return value
  throw new SchemaProblem(path, 'only texts, numbers, true, false and null can be given as values')
}

function convertType(type: string, fields: Schema, path: string, names: Set<string>): Schema {
  const keywords = OF_TYPE[type]
  if (!keywords) throw refuse(path, 'type')
  const own: Schema = { type }
  for (const name of keywords) if (fields[name] !== undefined) own[name] = fields[name]
  if (type === 'object') return convertObject(own, path, names)
  if (type === 'array') return convertArray(own, path, names)
  if (type === 'integer') return convertInteger(own, path)
  if (type === 'string' && own.format !== undefined) {
    if (!FORMATS.includes(String(own.format))) throw refuse(path, 'format')
    const length = ['minLength', 'maxLength'].find((name) => own[name] !== undefined)
    if (length) throw refuse(path, length)
  }
  const bound = type === 'number' ? Object.keys(own).find((name) => name !== 'type') : undefined
  if (bound !== undefined) throw refuse(path, bound)
  return own
}

/** All properties are written, in their order. */
function convertObject(own: Schema, path: string, names: Set<string>): Schema {
  const { properties, required, additionalProperties, ...bounds } = own
  const inner = Object.entries(asSchemas(properties)).map(([name, schema]) => [
    name,
    convert(schema, at(path, `properties.${name}`), names),
  ])
  const known = new Set(inner.map(([name]) => name))
  if (Array.isArray(required) && required.some((name) => !known.has(name))) throw refuse(path, 'required')
  const isOpen = additionalProperties ?? known.size === 0
  const more = typeof isOpen === 'boolean' ? isOpen : convert(isOpen, at(path, 'additionalProperties'), names)
  return { ...bounds, properties: Object.fromEntries(inner), additionalProperties: more }
}

function convertArray(own: Schema, path: string, names: Set<string>): Schema {
  const { items, prefixItems, ...bounds } = own
  if (Array.isArray(items) || items === false) throw refuse(path, 'items')
  const first = Array.isArray(prefixItems)
    ? prefixItems.map((item, i) => convert(item, at(path, `prefixItems.${i}`), names))
    : undefined
  return {
    ...bounds,
    ...(items !== undefined && items !== true && { items: convert(items, at(path, 'items'), names) }),
    ...(first && { prefixItems: first }),
  }
}

/** A whole number between near bounds is one of its values. */
function convertInteger(own: Schema, path: string): Schema {
  const [bound] = Object.keys(own).filter((name) => name !== 'type')
  if (bound === undefined) return own
  const number = (name: string, absent: number) => (typeof own[name] === 'number' ? own[name] : absent)
  const least = Math.max(
    Math.ceil(number('minimum', -Infinity)),
    Math.floor(number('exclusiveMinimum', -Infinity)) + 1,
  )
  const most = Math.min(
    Math.floor(number('maximum', Infinity)),
    Math.ceil(number('exclusiveMaximum', Infinity)) - 1,
  )
  if (!(most - least < MAX_VALUES)) throw refuse(path, bound)
  const step = number('multipleOf', 1)
  const values = Array.from({ length: Math.max(0, most - least + 1) }, (_, i) => least + i)
  const kept = values.filter((value) => Number.isInteger(value / step))
  if (kept.length === 0) throw refuse(path, bound)
  return { enum: kept }
}

function refuse(path: string, keyword: string): SchemaProblem {
  return new SchemaProblem(at(path, keyword), `"${keyword}" cannot be kept to`)
}

function at(path: string, part: string): string {
  return path === '' ? part : `${path}.${part}`
}
