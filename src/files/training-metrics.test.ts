import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { readLosses, readMetrics } from './training-metrics.ts'

const file = path.join(mkdtempSync(path.join(tmpdir(), 'aft-metrics-')), 'metrics.jsonl')
const read = (text: string) => {
  writeFileSync(file, text)
  return readMetrics(file)
}

test('a file that is not there has no measurements', () => {
  expect(readMetrics(`${file}.none`)).toEqual([])
})

test('a torn last line is skipped, a whole one without a line break is read', () => {
  expect(read('{"step":1,"loss":2,"gradNorm":null}\n{"step":2,"lo')).toEqual([{ step: 1, loss: 2 }])
  expect(read('{"step":1,"loss":2}\n{"step":2,"loss":1,"tokens":9}')).toEqual([
    { step: 1, loss: 2 },
    { step: 2, loss: 1, tokens: 9 },
  ])
})

test('any other broken line is an error with its place', () => {
  expect(() => read('{"step":1,"loss":2}\nnonsense\n{"step":3,"loss":1}\n')).toThrow(
    `${file}:2: expected JSON, got nonsense`,
  )
  expect(() => read('{"step":1}\n')).toThrow(`${file}:1: expected \`step\` and \`loss\``)
})

test('a loss that is no number is null, and is in no curve; a norm that is none is absent', () => {
  const text =
    '{"step":1,"loss":2,"gradNorm":1}\n{"step":2,"loss":null,"gradNorm":null}\n{"step": 3, "loss": NaN, "gradNorm": Infinity}\n'
  expect(read(text)).toEqual([
    { step: 1, loss: 2, gradNorm: 1 },
    { step: 2, loss: null },
    { step: 3, loss: null },
  ])
  expect(readLosses(file).map(({ step }) => step)).toEqual([1])
})
