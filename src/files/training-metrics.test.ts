import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { readMetrics } from './training-metrics.ts'

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
