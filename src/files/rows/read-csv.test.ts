import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { afterAll, expect, test } from 'vitest'
import { readPrompts } from '../prompts.ts'
import { listFiles, readRecords } from './read-records.ts'

const folder = mkdtempSync(join(tmpdir(), 'csv-'))
afterAll(() => rmSync(folder, { recursive: true }))

async function read(name: string, content: string | Buffer) {
  const file = join(folder, name)
  writeFileSync(file, content)
  const rows = []
  for await (const { file: _, ...row } of readRecords([file])) rows.push(row)
  return rows
}

const csv =
  '\uFEFFid,prompt,responses,system\r\n7,"A ""quoted"", long\nprompt","[""a"", ""b""]",\r\n\r\n8,"[1, 2]",x,Be brief.\r\n'
const rows = [
  { line: 3, row: 1, value: { id: '7', prompt: 'A "quoted", long\nprompt', responses: ['a', 'b'] } },
  { line: 5, row: 2, value: { id: '8', prompt: '[1, 2]', responses: 'x', system: 'Be brief.' } },
]

test('cells have quotes, line breaks and JSON; an empty one is absent; a prompt that is JSON stays text', async () => {
  expect(await read('a.csv', csv)).toEqual(rows)
  expect(await read('a.csv.gz', gzipSync(csv))).toEqual(rows)
  expect(await read('a.csv.zst', zstdCompressSync(csv))).toEqual(rows)
  expect(await read('a.tsv', csv.replaceAll(/,(?=p|r|s|"|x|B|\r)/g, '\t'))).toEqual(rows)
  expect(listFiles(folder)).toHaveLength(4)
})

test('a list as Python prints it, a row that is too short and an open quote are named', async () => {
  const head = 'chosen,rejected\n'
  expect(await read('b.csv', `${head}"[{'content': 'x', 'role': 'user'}]",y\n`)).toEqual([
    {
      line: 2,
      problem: expect.stringContaining('expected JSON in the column chosen, got a list as Python prints it'),
    },
  ])
  expect(await read('b.csv', `${head}x\ny,z\n`)).toEqual([
    { line: 2, problem: expect.stringContaining('expected 2 cells as in the first line') },
    { line: 3, row: 2, value: { chosen: 'y', rejected: 'z' } },
  ])
  expect((await read('b.csv', `${head}x,"y\n`)).at(-1)).toMatchObject({
    problem: expect.stringContaining('expected comma-separated values: Quote Not Closed'),
  })
})

test('settings are numbers, and what is false is not text', async () => {
  const [row] = await read('n.csv', 'prompt,completion,label,temperature,seed\n7,8,False,0.5,3\n')
  expect(row?.value).toEqual({ prompt: '7', completion: '8', label: false, temperature: 0.5, seed: 3 })
})

test('zstd is read as gzip is; what is packed in another way is named', async () => {
  const lines = '{"prompt":"a"}\n'
  expect(await read('c.jsonl.zst', zstdCompressSync(lines))).toEqual([{ line: 1, value: { prompt: 'a' } }])
  await expect(read('c.jsonl.bz2', Buffer.from('BZh91AY&SY'))).rejects.toThrow(
    'is packed by bzip2, which is not read',
  )
  await expect(read('c.zip', Buffer.from('PK\u0003\u0004xx'))).rejects.toThrow('is packed by zip')
})

test('prompts of an array on one line, packed or not, have the ids 0, 1, …', async () => {
  for (const [name, pack] of [
    ['d.json', String],
    ['d.json.gz', gzipSync],
  ] as const) {
    const file = join(folder, name)
    writeFileSync(file, pack('[{"prompt":"a"},{"prompt":"b"}]'))
    const ids = []
    for await (const { id } of readPrompts(file)) ids.push(id)
    expect(ids).toEqual(['0', '1'])
  }
})
