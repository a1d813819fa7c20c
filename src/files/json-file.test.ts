import { expect, test } from 'vitest'
import { z } from 'zod'
import { describeIssue, inWords, parseJsonFile } from './json-file.ts'

const shape = z.strictObject({
  name: z.string().min(1),
  count: z.int().min(1).max(9).optional(),
  share: z.number().gt(0).optional(),
  kind: z.enum(['a', 'b']).optional(),
  list: z
    .array(z.object({ ok: z.boolean() }))
    .min(2)
    .optional(),
  own: z.string('expected a word').optional(),
  either: z.union([z.string(), z.array(z.string())]).optional(),
  form: z.discriminatedUnion('type', [z.object({ type: z.enum(['x', 'y']) })]).optional(),
  old: z.never('the name is now `own`').optional(),
})

test.each([
  [5, 'expected an object, got 5'],
  [{}, '`name`: expected text, got nothing'],
  [{ name: '' }, '`name`: expected text that is not empty, got ""'],
  [{ name: 'x', count: 'y' }, '`count`: expected a number, got "y"'],
  [{ name: 'x', count: 1.5 }, '`count`: expected a whole number, got 1.5'],
  [{ name: 'x', count: 0 }, '`count`: expected a number from 1, got 0'],
  [{ name: 'x', count: 10 }, '`count`: expected a number up to 9, got 10'],
  [{ name: 'x', share: 0 }, '`share`: expected a number above 0, got 0'],
  [{ name: 'x', kind: 'c' }, '`kind`: expected one of a, b, got "c"'],
  [{ name: 'x', list: [] }, '`list`: expected a list with at least 2 entries, got []'],
  [{ name: 'x', list: [{ ok: 1 }, {}] }, '`list.0.ok`: expected true or false, got 1'],
  [{ name: 'x', own: 1 }, '`own`: expected a word, got 1'],
  [{ name: 'x', either: 1 }, '`either`: expected text, or a list, got 1'],
  [{ name: 'x', form: { type: 'z' } }, '`form.type`: expected one of x, y, got "z"'],
  [{ name: 'x', old: 1 }, '`old`: the name is now `own`'],
  [{ name: 'x', other: 1 }, 'unknown `other`'],
])('%j: %s', (value, words) => {
  expect(describeIssue(shape.safeParse(value, inWords).error?.issues[0] as z.core.$ZodIssue, value)).toBe(
    words,
  )
})

test('a file that is not JSON says in which line', () => {
  expect(() => parseJsonFile('a.json', '{\n  "a": oops\n}')).toThrow(
    "a.json: expected JSON: Unexpected token 'o'",
  )
  expect(() => parseJsonFile('a.json', '{\n  "a": 1')).toThrow("a.json:2: expected JSON: Expected ',' or '}'")
  expect(parseJsonFile('a.json', '\uFEFF[1]')).toEqual([1])
})
