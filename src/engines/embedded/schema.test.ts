import { expect, test } from 'vitest'
import { SchemaProblem, toGrammarSchema } from './schema.ts'

const text = { type: 'string' }
const whole = { type: 'integer' }

test.each([
  [{ anyOf: [text, whole] }, { oneOf: [text, whole] }],
  [{ title: 'V', default: null, anyOf: [text, { type: 'null' }] }, { oneOf: [text, { type: 'null' }] }],
  [
    { type: 'string', anyOf: [{ minLength: 2 }, { enum: ['a'] }] },
    { oneOf: [{ type: 'string', minLength: 2 }, { enum: ['a'] }] },
  ],
  [{ allOf: [text], description: 'd' }, text],
  [
    { type: ['object', 'null'], properties: { a: text } },
    { oneOf: [{ type: 'object', properties: { a: text }, additionalProperties: false }, { type: 'null' }] },
  ],
  [{ properties: { a: text } }, { type: 'object', properties: { a: text }, additionalProperties: false }],
  [{ type: 'object' }, { type: 'object', properties: {}, additionalProperties: true }],
  [
    { type: 'array', items: true, minItems: 1 },
    { type: 'array', minItems: 1 },
  ],
  [{ type: 'integer', minimum: 1, maximum: 3 }, { enum: [1, 2, 3] }],
  [{ type: 'integer', exclusiveMinimum: 0, exclusiveMaximum: 9, multipleOf: 4 }, { enum: [4, 8] }],
  [{ type: 'string', enum: ['a', null, 3] }, { enum: ['a'] }],
  [
    { definitions: { A: text }, $ref: '#/definitions/A' },
    { $ref: '#/$defs/A', $defs: { A: text } },
  ],
])('%j is %j to the grammar', (schema, expected) => {
  expect(toGrammarSchema(schema)).toMatchObject(expected)
})

const inObject = (schema: unknown) => ({ type: 'object', properties: { v: schema } })

test.each([
  [{ type: 'string', pattern: '^a$' }, 'properties.v.pattern'],
  [{ type: 'number', minimum: 0 }, 'properties.v.minimum'],
  [{ type: 'integer', minimum: 0 }, 'properties.v.minimum'],
  [{ type: 'integer', maximum: 9, minimum: 2, multipleOf: 100 }, 'properties.v.minimum'],
  [{ type: 'array', items: text, uniqueItems: true }, 'properties.v.uniqueItems'],
  [{ type: 'array', items: { not: {} } }, 'properties.v.items.not'],
  [
    { type: 'array', prefixItems: [text, { type: 'number', multipleOf: 2 }] },
    'properties.v.prefixItems.1.multipleOf',
  ],
  [{ type: 'array', items: [text] }, 'properties.v.items'],
  [{ patternProperties: { a: text }, type: 'object' }, 'properties.v.patternProperties'],
  [{ allOf: [{ properties: { a: text } }, { properties: { b: text } }] }, 'properties.v.allOf'],
  [{ anyOf: [text, { type: 'string', pattern: 'a' }] }, 'properties.v.anyOf.1.pattern'],
  [{ anyOf: [text], minLength: 3 }, 'properties.v.minLength'],
  [{ anyOf: [text], oneOf: [text] }, 'properties.v.anyOf'],
  [{ type: 'object', properties: {}, required: ['a'] }, 'properties.v.required'],
  [
    { type: 'object', additionalProperties: { type: 'string', pattern: 'a' } },
    'properties.v.additionalProperties.pattern',
  ],
  [{ type: 'string', format: 'email' }, 'properties.v.format'],
  [{ type: 'string', format: 'date', minLength: 3 }, 'properties.v.minLength'],
  [{ $ref: '#/$defs/None' }, 'properties.v.$ref'],
  [{ $ref: 'https://example.org/a' }, 'properties.v.$ref'],
  [{ enum: [{ a: 1 }] }, 'properties.v.enum'],
  [{ type: 'text' }, 'properties.v.type'],
  [{ if: text, else: text }, 'properties.v.if'],
  [false, 'properties.v'],
])('%j is refused at %s', (schema, path) => {
  const convert = () => toGrammarSchema(inObject(schema))
  expect(convert).toThrow(SchemaProblem)
  try {
    convert()
  } catch (error) {
    expect(error).toMatchObject({ path })
  }
})
