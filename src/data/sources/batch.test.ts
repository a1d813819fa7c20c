import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readRecords } from '../../files/rows/read-records.ts'
import { batch } from './batch.ts'

const folder = mkdtempSync(join(tmpdir(), 'batch-'))
afterAll(() => rmSync(folder, { recursive: true }))

async function read(...files: object[][]) {
  const names = files.map((lines, i) => {
    const name = join(folder, `${i}.jsonl`)
    writeFileSync(name, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
    return name
  })
  const rows = []
  for await (const row of batch.read(readRecords(names))) rows.push(row)
  return rows
}

const request = (id: string, content: string) => ({
  custom_id: id,
  method: 'POST',
  url: '/v1/chat/completions',
  body: { model: 'm', messages: [{ role: 'user', content }] },
})
const result = (id: string, ...texts: string[]) => ({
  id: `batch_req_${id}`,
  custom_id: id,
  response: {
    status_code: 200,
    body: { model: 'm-1', choices: texts.map((content) => ({ message: { role: 'assistant', content } })) },
  },
  error: null,
})

test('results of several files are the responses of their requests, whatever comes first', async () => {
  const claude = { type: 'succeeded', message: { model: 'c', content: [{ type: 'text', text: 'A lake.' }] } }
  const rows = await read(
    [result('b', 'The Rhine.', 'The Nile.'), result('a', 'Blue.')],
    [request('a', 'Sky?'), request('b', 'River?'), request('c', 'Unanswered?')],
    [
      { custom_id: 'a', result: claude },
      { custom_id: 'b', response: null, error: { code: 'expired' } },
    ],
  )
  expect(rows).toEqual([
    {
      id: 'b',
      prompt: [{ role: 'user', content: 'River?' }],
      responses: [
        { text: 'The Rhine.', model: 'm-1' },
        { text: 'The Nile.', model: 'm-1' },
      ],
    },
    {
      id: 'a',
      prompt: [{ role: 'user', content: 'Sky?' }],
      responses: [
        { text: 'Blue.', model: 'm-1' },
        { text: 'A lake.', model: 'c' },
      ],
    },
  ])
})

test('a result without its request, a request twice and another line are named', async () => {
  const rows = await read([request('a', 'x'), request('a', 'y'), { prompt: 'z' }, result('b', 'c')])
  expect(rows.map((row) => 'problem' in row && row.problem)).toEqual([
    'a second request has the custom_id "a"',
    expect.stringContaining(
      'expected `custom_id`, as requests and results of a batch have it, got ["prompt"]',
    ),
    'expected a request with the custom_id "b" in one of the files',
  ])
})
