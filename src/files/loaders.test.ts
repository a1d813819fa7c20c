import { expect, test } from 'vitest'
import { DataError } from '../core/provider/errors.ts'
import { alternates, createLoaderCheck } from './loaders.ts'
import type { Example } from './rows/row.ts'

const turn = (role: string, content: unknown = 'x') => ({ role, content })
const example = (...prompt: object[]) =>
  ({
    id: 'a',
    prompt,
    completion: [{ role: 'assistant', content: 'y' }],
    source: 's',
    proposals: [],
    template: 't',
  }) as unknown as Example
const at = (line: number) => ({ file: 'train.jsonl', line })

test('a field with two types is named with both lines; null goes with any type', () => {
  const check = createLoaderCheck()
  check.add(example(turn('user')), at(1))
  check.add(example(turn('user'), turn('assistant', null), turn('tool')), at(2))
  const parts = example(turn('user', [{ type: 'text', text: 'x' }]))
  expect(() => check.add(parts, at(3))).toThrow(DataError)
  expect(() => check.add(parts, at(3))).toThrow(
    'train.jsonl:3: `prompt[].content` is a list here and a string in train.jsonl:1: loaders of trainers refuse such a file',
  )
})

test('examples that LLaMA-Factory would drop are counted', () => {
  const check = createLoaderCheck()
  check.add(example(turn('system'), turn('user')), at(1))
  expect(check.notes()).toEqual([])
  check.add(example(turn('user'), turn('user')), at(2))
  check.add(example(turn('user'), turn('system')), at(3))
  expect(check.notes()).toEqual([
    expect.stringMatching(/^LLaMA-Factory would drop 2 examples, .* \(first: train\.jsonl:2\)$/),
  ])
})

test.each([
  ['user', true],
  ['system user', true],
  ['developer user assistant user', true],
  ['user assistant tool', true],
  ['assistant user', false],
  ['system', false],
  ['user assistant', false],
  ['user system user', false],
])('%s: %j', (roles, takesTurns) => {
  expect(alternates(roles.split(' ').map((role) => turn(role)) as never)).toBe(takesTurns)
})
