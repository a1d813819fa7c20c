import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readRecords } from '../../files/rows/read-records.ts'
import { findSource } from './sources.ts'

const folder = mkdtempSync(join(tmpdir(), 'journal-source-'))
afterAll(() => rmSync(folder, { recursive: true }))
const file = join(folder, 'j.journal')

async function read(lines: object[]) {
  writeFileSync(file, lines.map((line) => JSON.stringify(line)).join('\n'))
  const rows: unknown[] = []
  for await (const row of findSource('journal').read(readRecords([file]))) rows.push(row)
  return rows
}

const usage = { calls: 1, inputTokens: 1, prefilledTokens: 1, outputTokens: 1 }
const error = { kind: 'server', message: 'x' }
const layers = (depth: number) =>
  Array.from({ length: depth + 1 }, (_, i) => ({ voices: [], see: i === 0 ? 'nothing' : 'all' }))
const header = (depth = 1) => ({
  type: 'header',
  version: 1,
  aft: '0.1.0',
  plan: { strategy: 'aft', layers: layers(depth) },
  template: { id: 'aft-1', sha256: 'x' },
  engines: { smollm2: 'smollm2' },
})
const prompt = (id: string) => ({ type: 'prompt', id, messages: [{ role: 'user', content: `Q ${id}` }] })
const place = (prompt: string, layer: number, index: number) => ({
  prompt,
  layer,
  index,
  voice: 0,
  engine: 'smollm2',
  seed: 1,
  ms: 1,
})
const completion = (id: string, layer: number, index: number, text: string, saw?: number[]) => ({
  type: 'completion',
  ...place(id, layer, index),
  text,
  finishReason: 'stop',
  usage,
  ...(saw && { saw }),
})
const failure = (id: string, layer: number, index: number) => ({
  type: 'failure',
  ...place(id, layer, index),
  error,
})
const shown = (prompt: string, layer: number, shown: number[]) => ({ type: 'layer', prompt, layer, shown })
const responses = (...texts: string[]) => texts.map((text) => ({ text, model: 'smollm2' }))

test('an aggregated answer is the target, what its aggregator saw are the responses; open prompts are bad rows with a place', async () => {
  const rows = await read([
    header(),
    prompt('a'),
    prompt('b'),
    prompt('c'),
    completion('a', 0, 1, 'two'),
    completion('b', 0, 0, 'open'),
    completion('a', 0, 0, 'one'),
    completion('a', 1, 0, 'merged', [0, 1]),
    { type: 'answer', prompt: 'a', answer: 'merged' },
    { type: 'answer', prompt: 'c', error: { kind: 'timeout', message: '' } },
  ])
  expect(rows).toEqual([
    {
      id: 'a',
      prompt: [{ role: 'user', content: 'Q a' }],
      responses: responses('one', 'two'),
      target: 'merged',
    },
    { place: `${file}:3`, problem: 'the prompt "b" has no answer yet' },
  ])
})

test('if a prompt failed and was answered later, nothing of the failed attempt is a proposal', async () => {
  const rows = await read([
    header(),
    prompt('p'),
    completion('p', 0, 1, 'OLD one of the attempt that failed'),
    failure('p', 0, 0),
    { type: 'answer', prompt: 'p', error },
    completion('p', 0, 0, 'NEW zero of the second attempt'),
    failure('p', 0, 1),
    shown('p', 0, [0]),
    completion('p', 1, 0, 'The answer is blue light.', [0]),
    shown('p', 1, [0]),
    { type: 'answer', prompt: 'p', answer: 'The answer is blue light.' },
  ])
  expect(rows).toMatchObject([{ id: 'p', responses: responses('NEW zero of the second attempt') }])
})

test('in a deeper plan the proposals are those of the layer before the answer', async () => {
  const rows = await read([
    header(2),
    prompt('p'),
    completion('p', 0, 0, 'first'),
    shown('p', 0, [0]),
    completion('p', 1, 0, 'second', [0]),
    completion('p', 1, 1, 'other', [0]),
    shown('p', 1, [0, 1]),
    completion('p', 2, 0, 'third', [1]),
    { type: 'answer', prompt: 'p', answer: 'third' },
  ])
  expect(rows).toMatchObject([{ responses: responses('other'), target: 'third' }])
})

test('an answer that was chosen has all candidates as responses', async () => {
  const rows = await read([
    header(0),
    prompt('p'),
    completion('p', 0, 1, 'two'),
    completion('p', 0, 0, 'one'),
    completion('p', 1, 0, '1', [0, 1]),
    { type: 'answer', prompt: 'p', answer: 'one' },
  ])
  expect(rows).toMatchObject([{ responses: responses('one', 'two'), target: 'one' }])
})

test('a line that is not a journal record is a bad row with its place', async () => {
  expect(await read([header(), { type: 'draft' }, prompt('p')])).toEqual([
    {
      place: `${file}:2`,
      problem: 'expected a line of a journal, with a `type` such as header, got "draft"',
    },
  ])
})
