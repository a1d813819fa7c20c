import { expect, test } from 'vitest'
import { z } from 'zod'
import { cpuMsSince } from '../../../test/cpu-time.ts'
import { SchemaError } from './limits.ts'
import { compileSchema } from './schema.ts'

const river = {
  type: 'object',
  properties: {
    river: { type: 'string', minLength: 1 },
    km: { type: ['number', 'null'], minimum: 1 },
    banks: { type: 'array', items: { enum: ['left', 'right'] } },
  },
  required: ['river', 'km'],
  additionalProperties: false,
}

test.each<[unknown, string[]]>([
  [{ river: 'Rhine', km: 1230 }, []],
  [{ river: 'Rhine', km: null, banks: ['left'] }, []],
  [{ river: 'Rhine' }, ['expected `km` to be there, got nothing']],
  [{ river: 'Rhine', km: 'long' }, ['expected `km` to be number or null, got "long"']],
  [{ river: 'Rhine', km: 0 }, ['expected `km` to be >= 1, got 0']],
  [{ river: '', km: 2 }, ['expected `river` not to have fewer than 1 characters, got ""']],
  [{ river: 'a', km: 2, 'sea level': [1] }, ['expected no `["sea level"]`, got [1]']],
  [{ river: 'a', km: 2, banks: ['up'] }, ['expected `banks[0]` to be one of "left","right", got "up"']],
  ['Rhine', ['expected the value to be object, got "Rhine"']],
])('%j: %j', async (value, problems) => {
  expect((await compileSchema(river))(value)).toEqual(problems)
})

test('at most five problems are told, and what came is cut', async () => {
  const check = await compileSchema({ type: 'array', items: { type: 'number' } })
  const problems = check(Array.from({ length: 50 }, () => 'x'.repeat(1_000)))
  expect(problems).toHaveLength(5)
  expect(problems.join().length).toBeLessThan(1_000)
})

test.each([
  ['2020-12', { $schema: 'https://json-schema.org/draft/2020-12/schema', prefixItems: [{ type: 'number' }] }],
  ['2019-09', { $schema: 'https://json-schema.org/draft/2019-09/schema', items: [{ type: 'number' }] }],
  ['draft-07', { $schema: 'http://json-schema.org/draft-07/schema#', items: [{ type: 'number' }] }],
  ['draft-04', { $schema: 'http://json-schema.org/draft-04/schema#', items: [{ type: 'number' }] }],
  ['no dialect, new', { prefixItems: [{ type: 'number' }] }],
  ['no dialect, old', { items: [{ type: 'number' }] }],
])('dialect %s', async (_, schema) => {
  const check = await compileSchema(schema)
  expect([check([1]), check(['x'])]).toEqual([[], ['expected `[0]` to be number, got "x"']])
})

test('what tools write is read: zod, definitions, anchors, unknown keywords, nullable', async () => {
  const node = z.object({ name: z.string(), get children() { return z.array(node) } }) // biome-ignore format: one line
  const check = await compileSchema(z.toJSONSchema(node))
  expect(check({ name: 'a', children: [{ name: 'b', children: [] }] })).toEqual([])
  expect(check({ name: 'a', children: [{ name: 1 }] })).toHaveLength(2)
  const other = await compileSchema({
    $defs: { small: { $anchor: 'small', type: 'number', maximum: 9, nullable: true } },
    $ref: '#small',
    'x-order': 3,
    format: 'int32',
    example: 3,
  })
  expect([other(3), other(null), other(10)].map((problems) => problems.length)).toEqual([0, 0, 1])
  expect((await compileSchema(true))(3)).toEqual([])
  expect((await compileSchema(false))(3)).toEqual(['expected the value to be absent, got 3'])
})

const deep = (levels: number): object => (levels === 0 ? {} : { properties: { a: deep(levels - 1) } })
const doubling = Object.fromEntries(
  Array.from({ length: 40 }, (_, i) => {
    const next = { $ref: `#/$defs/d${i + 1}` }
    return [`d${i}`, i === 39 ? { type: 'string' } : { allOf: [next, next] }]
  }),
)
const circle: Record<string, unknown> = { type: 'object' }
circle.properties = { again: circle }

test.each<[string, unknown, string, RegExp]>([
  ['no schema', 'x', '', /expected a JSON schema, got "x"/],
  ['a schema of zod', z.string(), '', /z\.toJSONSchema/],
  [
    'a wrong type',
    { properties: { km: { type: 'numbr' } } },
    'properties.km.type',
    /expected one of "array".*, got "numbr"/,
  ],
  ['a wrong dialect', { $schema: 'https://x.example/y' }, '$schema', /expected draft-07/],
  [
    'a reference elsewhere',
    { items: { $ref: 'https://x.example/y.json#/a' } },
    'items.$ref',
    /nothing is fetched/,
  ],
  ['a reference to a file', { items: { $ref: 'file:///etc/passwd' } }, 'items.$ref', /nothing is fetched/],
  ['a reference to nothing', { items: { $ref: '#/$defs/x' } }, 'items.$ref', /which is not in the schema/],
  ['a reference to itself', { $ref: '#' }, '', /refers to itself without end/],
  ['a wrong pattern', { properties: { a: { pattern: '(' } } }, 'properties.a.pattern', /regular expression/],
  [
    'an endless pattern',
    { properties: { a: { pattern: '^(a+)+$' } } },
    'properties.a.pattern',
    /longer than 100 ms/,
  ],
  ['another', { items: { pattern: '^(([a-z])+.)+[A-Z]([a-z])+$' } }, 'items.pattern', /longer than 100 ms/],
  ['a third', { patternProperties: { '(.*,){20}x$': {} } }, 'patternProperties."(.*,){20}x$"', /longer than/],
  ['many levels', deep(200), 'properties.a.properties.a…', /at most 100 levels/],
  ['a circle', circle, 'properties.again.properties.again…', /at most 100 levels/],
  ['many parts', { enum: Array.from({ length: 6_000 }, () => ({})) }, '', /at most 5000/],
  ['many characters', { description: 'x'.repeat(300_000) }, '', /at most 262144 characters/],
  ['a check that waits', { $async: true, type: 'string' }, '$async', /is not supported/],
])('%s is refused with its path', async (_, schema, path, problem) => {
  const error = await compileSchema(schema).catch((error) => error)
  expect(error).toBeInstanceOf(SchemaError)
  expect(error.message).toMatch(problem)
  expect(path.endsWith('…') ? `${error.path.slice(0, path.length - 1)}…` : error.path).toBe(path)
})

test('a check that takes too long is an error, and the schema is refused from then on', async () => {
  const schema = { $defs: doubling, $ref: '#/$defs/d0' }
  const made = compileSchema(schema)
  await expect(made).rejects.toThrow('checking a value takes longer than 250 ms')
  const start = process.cpuUsage()
  await expect(compileSchema(schema)).rejects.toThrow(SchemaError)
  expect(cpuMsSince(start)).toBeLessThan(200)
})

test('a value nested without end is a problem of the value', async () => {
  const check = await compileSchema({ properties: { child: { $ref: '#' } } })
  let value = {}
  for (let i = 0; i < 1e5; i++) value = { child: value }
  expect(check(value)).toEqual(['expected the value to have fewer levels'])
})

test('names of objects in JavaScript are names like others', async () => {
  const check = await compileSchema({ required: ['toString', '__proto__'], additionalProperties: false })
  expect(check({})).toHaveLength(2)
  expect((await compileSchema({ properties: { constructor: { type: 'string' } } }))({})).toEqual([])
})
