import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readTargets } from './target.ts'

const folder = mkdtempSync(join(tmpdir(), 'targets-'))
afterAll(() => rmSync(folder, { recursive: true }))

async function read(...rows: object[]) {
  const file = join(folder, 'targets.jsonl')
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  const counts: number[] = []
  const table = await readTargets(file, (...skipped) => counts.push(...skipped))
  return { targets: Object.fromEntries(table), counts }
}

test('a target is the answer of a row of any form, by what the row asks', async () => {
  const { targets } = await read(
    { instruction: 'a', input: 'about', output: '1' },
    { prompt: 'b', completion: [{ role: 'assistant', content: '2' }] },
    {
      conversations: [
        { from: 'human', value: 'c' },
        { from: 'gpt', value: '3' },
      ],
    },
    {
      messages: [
        { role: 'user', content: 'd' },
        { role: 'assistant', content: '4' },
      ],
    },
    { question: 'e', answer: 5 },
  )
  expect(targets).toEqual({ 'a\n\nabout': '1', b: '2', c: '3', d: '4', e: '5' })
})

test('blank targets are skipped and counted; of several for one prompt the first counts', async () => {
  const { targets, counts } = await read(
    { prompt: 'a', target: ' ' },
    { prompt: 'b', target: '1' },
    { prompt: 'b', target: '1' },
    { prompt: 'b', target: '2' },
  )
  expect({ targets, counts }).toEqual({ targets: { b: '1' }, counts: [1, 1] })
})

test('a row without an answer is named', async () => {
  const pair = { prompt: 'a', chosen: 'b', rejected: 'c' }
  await expect(read(pair)).rejects.toThrow(
    'targets.jsonl:1: expected an answer, such as `target`, `output` or `answer`, got ["prompt","chosen","rejected"]',
  )
})
