import { afterAll, beforeAll, expect, test } from 'vitest'
import type { CompletionEnd } from '../../core/provider/engine.ts'
import { resolveModel } from '../models/models.ts'
import { type EmbeddedEngine, openEmbedded } from './embedded.ts'
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

let engine: EmbeddedEngine
beforeAll(async () => {
  const { file } = await resolveModel('smollm2')
  engine = await openEmbedded({ file, id: 'small', contextLength: 1024 })
}, 120_000)
afterAll(() => engine.close())

async function write(
  schema: Record<string, unknown>,
  content: string,
  maxTokens = 80,
  n = 1,
): Promise<CompletionEnd[]> {
  const ends: CompletionEnd[] = []
  const request = {
    messages: [{ role: 'user' as const, content }],
    n,
    seeds: Array.from({ length: n }, (_, i) => i + 1),
    sampling: { temperature: 0.7, maxTokens },
    responseFormat: { type: 'json_schema' as const, json_schema: { name: 'x', schema } },
  }
  for await (const event of engine.generate(request)) {
    if (event.type === 'completion-failed') throw event.error
    if (event.type === 'completion-end') ends.push(event)
  }
  return ends
}

const form = (properties: Record<string, unknown>) => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
})

test('an answer ends at its closing brace', async () => {
  const schema = form({ animal: text, legs: whole })
  for (const { text, finishReason } of await write(schema, 'Name an animal and count its legs.', 80, 3)) {
    expect(finishReason).toBe('stop')
    expect(text).toMatch(/\}$/)
    expect(JSON.parse(text)).toEqual({ animal: expect.any(String), legs: expect.any(Number) })
  }
  const [shortest] = await write(form({ ok: { const: true } }), 'Say yes.')
  const { outputTokens } = shortest?.usage ?? { outputTokens: 0 }
  const [cut] = await write(form({ ok: { const: true } }), 'Say yes.', outputTokens - 1)
  expect(cut).toMatchObject({ text: shortest?.text, finishReason: 'stop' })
})

test('alternatives, bounds and references hold', async () => {
  const schema = {
    ...form({
      v: { anyOf: [{ type: 'string', maxLength: 12 }, { enum: [1, 2] }] },
      w: { type: 'integer', minimum: 2, maximum: 4 },
      list: { type: 'array', items: { $ref: '#/definitions/Kind' }, minItems: 1, maxItems: 2 },
      maybe: { type: ['object', 'null'], properties: { a: { type: 'boolean' } } },
    }),
    definitions: { Kind: { enum: ['warm', 'cold'] } },
  }
  for (const { text } of await write(schema, 'v is dog. w is 3. Fill the form.', 120, 3)) {
    const { v, w, list, maybe } = JSON.parse(text)
    expect(['string', 'number']).toContain(typeof v)
    expect([2, 3, 4]).toContain(w)
    for (const kind of list) expect(['warm', 'cold']).toContain(kind)
    if (maybe !== null) expect(maybe).toEqual({ a: expect.any(Boolean) })
  }
})

test('what cannot be kept to is refused with its path before anything is generated', async () => {
  const before = engine.evaluatedTokens
  const asked = write(form({ year: { type: 'string', pattern: '^[0-9]+$' } }), 'Name a year.')
  await expect(asked).rejects.toMatchObject({ kind: 'refused', param: 'response_format' })
  await expect(asked).rejects.toThrow(
    'response_format.json_schema.schema.properties.year.pattern: "pattern" cannot be kept to',
  )
  expect(engine.evaluatedTokens).toBe(before)
})
