import { expect, test } from 'vitest'
import { explainJson } from './explain-json.ts'

test.each([
  ['not json\n', { line: 1, problem: "expected JSON: Unexpected token 'o'" }],
  ['{\n', { line: 2, problem: "expected JSON: Expected property name or '}'" }],
  ['{"a":\n  1,}', { line: 2, problem: 'expected JSON: Expected double-quoted property name' }],
  ['{"a": 1\n\n', { line: 3, problem: "expected JSON: Expected ',' or '}' after property value" }],
  ['[1,\n2', { line: 2, problem: "expected JSON: Expected ',' or ']' after array element" }],
  ['', { line: 1, problem: 'expected JSON: Unexpected end of JSON input' }],
  ['{}\n{}', { line: 2, problem: 'expected JSON: Unexpected non-whitespace character after JSON' }],
  ['"a\nb"', { line: 1, problem: 'expected JSON: Bad control character in string literal' }],
])('%j', (text, fault) => {
  try {
    JSON.parse(text)
    expect.unreachable()
  } catch (error) {
    expect(explainJson(error, text)).toEqual(fault)
  }
})
