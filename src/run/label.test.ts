import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { echo, type Script, scriptedEngine } from '../engines/scripted/scripted.ts'
import { type LabelRow, labelRows, planLabels, readLabels } from './label.ts'

let folder: string
let out: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'label-'))
  out = join(folder, 'labels.jsonl')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const row = (id: string, ...texts: string[]): LabelRow => ({
  id,
  prompt: [{ role: 'user', content: `question ${id}` }],
  responses: texts.map((text, i) => ({ text, model: `model-${i}` })),
})
const rows = () => [row('a', 'one', 'two', 'three'), row('b', 'four'), row('c', 'five', 'six')]

async function label(script: Script) {
  const engine = scriptedEngine(script)
  const plan = await planLabels(rows, { model: 's', maxTokens: 9, temperature: 0, seed: 1 })
  const summary = await labelRows(rows, { plan, engines: { s: engine }, out })
  return { engine, plan, summary }
}
async function labels() {
  const found: string[][] = []
  for await (const { row, target } of readLabels(rows, out)) found.push([row.id, target])
  return found
}
const journal = () =>
  readFileSync(`${out}.journal`, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

test('each row is asked for once, and its aggregator is shown its responses in their order', async () => {
  const { engine, plan, summary } = await label(() => 'target')
  expect(plan.layers.map(({ voices }) => voices[0]?.n)).toEqual([3, 1])
  expect(engine.requests).toHaveLength(3)
  expect(JSON.stringify(engine.requests[0]?.messages)).toContain('1. one\\n2. two\\n3. three')
  expect(summary).toMatchObject({
    outcome: 'done',
    progress: { answered: 3, degraded: 0, madeNow: 3, made: 9 },
  })
  expect(await labels()).toEqual([
    ['a', 'target'],
    ['b', 'target'],
    ['c', 'target'],
  ])
})

test('the journal names the models that wrote the responses, which cost nothing', async () => {
  const { summary } = await label(() => 'target')
  const given = journal().filter(({ type, layer }) => type === 'completion' && layer === 0)
  expect(given.filter(({ prompt }) => prompt === 'c')).toMatchObject([
    { index: 0, engine: 'model-0', text: 'five', usage: { calls: 0, outputTokens: 0 } },
    { index: 1, engine: 'model-1', text: 'six', usage: { calls: 0, outputTokens: 0 } },
  ])
  expect(summary.progress.spent).toMatchObject({ calls: 3, outputTokens: 3 })
})

test('a row whose aggregation failed falls back on its responses, as every answer does', async () => {
  const fails = (request: Parameters<typeof echo>[0]) =>
    JSON.stringify(request.messages).includes('question b')
  await label((request) => (fails(request) ? { error: { kind: 'refused', message: 'no' } } : 'target'))
  expect(await labels()).toEqual([
    ['a', 'target'],
    ['b', 'four'],
    ['c', 'target'],
  ])
})

test('a journal cut after any line is resumed with equal labels, and nothing is written twice', async () => {
  await label(echo)
  const [bytes, made] = [readFileSync(`${out}.journal`, 'utf8'), await labels()]
  const listLines = (text: string) => text.trim().split('\n').toSorted()
  for (let end = bytes.indexOf('\n'); end !== -1; end = bytes.indexOf('\n', end + 1)) {
    writeFileSync(`${out}.journal`, bytes.slice(0, end + 1))
    const { engine } = await label(echo)
    expect(await labels()).toEqual(made)
    expect(listLines(readFileSync(`${out}.journal`, 'utf8'))).toEqual(listLines(bytes))
    expect(engine.requests.length).toBeLessThanOrEqual(3)
  }
})
