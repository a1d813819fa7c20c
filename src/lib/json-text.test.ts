import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalJson, innerJson } from './json-text.ts'

test('one form for equal values: white space, order of keys, form of numbers', () => {
  const same = [
    '{"a":1,"b":[true,null,"é"]}',
    ' { "b" : [ true , null , "\\u00e9" ] , "a" : 1.0 }',
    '{"a":10e-1,"b":[true,null,"é"]}',
  ]
  expect(new Set(same.map(canonicalJson)).size).toBe(1)
  expect(canonicalJson('{"a": 0.10, "b": -0, "c": 1200}')).toBe('{"a":1e-1,"b":0,"c":12e2}')
})

test('values that differ have different forms, also beyond the precision of numbers', () => {
  expect(canonicalJson('9007199254740993')).not.toBe(canonicalJson('9007199254740992'))
  expect(canonicalJson('1e400')).not.toBe(canonicalJson('1e401'))
  expect(canonicalJson('"1"')).not.toBe(canonicalJson('1'))
  expect(canonicalJson('[[1],2]')).not.toBe(canonicalJson('[1,[2]]'))
  expect(canonicalJson('{"__proto__":1}')).not.toBe(canonicalJson('{}'))
})

test('a value has one form however it is written', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const parsed = JSON.parse(JSON.stringify(value))
      return canonicalJson(JSON.stringify(value)) === canonicalJson(JSON.stringify(parsed, null, 3))
    }),
  )
})

test('what is no JSON has no form, nor has what is nested without end', () => {
  for (const text of ['', 'x', '{"a":1} or so', '{"a":1', '[NaN]', '['.repeat(1e5) + ']'.repeat(1e5)])
    expect(canonicalJson(text)).toBeUndefined()
})

test.each([
  ['```json\n{"a": 1}\n```', '{"a": 1}'],
  ['```\n[1]\n```\n', '[1]'],
  ['Here you are:\n```JSON\r\n"text"\r\n```\nBye.', '"text"'],
  ['Sure! {"a": {"b": 1}} Anything else?', '{"a": {"b": 1}}'],
  ['The list is [1, 2].', '[1, 2]'],
  ['{"a": 1}\n\nDone.', '{"a": 1}'],
  ['{"a": 1} or {"a": 2}', undefined],
  ['{"a": 1}', undefined],
  ['no JSON', undefined],
  [']x[', undefined],
])('the JSON within %j is %j', (text, inner) => {
  expect(innerJson(text)).toBe(inner)
})
