import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, expect, test } from 'vitest'
import { aft } from '../../../../test/command-line.ts'

const folder = mkdtempSync(join(tmpdir(), 'cli-data-faults-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const at = (name: string) => join(folder, name)
const build = (args: string[], input?: string) => aft(['data', 'build', ...args], { cwd: folder, input })
const lines = (name: string) =>
  readFileSync(at(name), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

const row = (i: number, more: object = {}) =>
  JSON.stringify({
    id: `r${i}`,
    prompt: `What is thing number ${i}?`,
    target: `It is ${i}.`,
    responses: ['It is a.', 'It is b.', 'It is c.'],
    ...more,
  })
const good = Array.from({ length: 20 }, (_, i) => row(i))
const bad = [
  '{"prompt":"torn',
  row(100, { responses: [] }),
  row(101, { responses: ['only one'] }),
  row(102, { responses: ['', '  ', '<think>no more</think>'] }),
  row(103, { responses: ['a', 3] }),
  row(104, { responses: 'text' }),
  row(105, { prompt: { a: 1 } }),
  row(106, { target: 5 }),
  'null',
  row(107, { responses: [{ text: null }, 'a', 'b'] }),
]
const long = row(108, { prompt: 'word '.repeat(210_000) })
const scores = row(109, {
  target: undefined,
  responses: [
    { text: 'unrated', score: 'N/A' },
    { text: 'best', score: '4' },
    { text: 'odd', score: { a: 1 } },
    { text: 'worst', score: 1 },
  ],
})
writeFileSync(at('good.jsonl'), good.join('\n'))
writeFileSync(
  at('bad.jsonl'),
  Buffer.concat([
    Buffer.from([...good, ...bad, '{"prompt":"'].join('\n')),
    Buffer.from([0xff, 0xfe]),
    Buffer.from(`"}\n${long}\n{"prompt":"to`),
  ]),
)

test('every bad row is in dropped.jsonl with its line or id and what is wrong with it; a prompt of 1 MB is no bad row', async () => {
  expect((await build(['bad.jsonl', '--max-bad', '0.5', '--validation', '0', '-o', 'bad'])).code).toBe(0)
  const told = lines('bad/dropped.jsonl').map(
    ({ row, reason, detail }) => `${row} ${reason} ${JSON.stringify(detail)}`,
  )
  expect(told).toEqual([
    expect.stringMatching(/^bad\.jsonl:21 broken "expected JSON: Unterminated string/),
    'r100 too few proposals {"usable":0,"left":{}}',
    'r101 too few proposals {"usable":1,"left":{}}',
    'r102 too few proposals {"usable":0,"left":{"empty":3}}',
    'bad.jsonl:25 broken "expected responses[1] to be an object, got 3"',
    'bad.jsonl:26 broken "expected `responses` to be a list, got \\"text\\""',
    'bad.jsonl:27 broken "expected `prompt` to hold text, got {\\"a\\":1}"',
    'bad.jsonl:28 broken "expected `target` to hold text, got 5"',
    'bad.jsonl:29 broken "expected the record to be an object, got null"',
    'bad.jsonl:30 broken "expected `responses[0].text` to be text, got null"',
    'bad.jsonl:31 broken "expected UTF-8, got other bytes"',
    expect.stringMatching(/^bad\.jsonl:33 broken "expected JSON: Unterminated string/),
  ])
  const built = lines('bad/train.jsonl')
  expect(built.map((example) => example.id)).toEqual([...good.map((line) => JSON.parse(line).id), 'r108'])
  expect(built.at(-1).prompt.at(-1).content).toHaveLength(1_050_000)
})

test('a score that is no number counts as none', async () => {
  writeFileSync(at('scores.jsonl'), scores)
  await build([
    'scores.jsonl',
    '--target',
    'best',
    '--choose',
    'quality',
    '--proposals',
    '4',
    '--validation',
    '0',
    '-o',
    's',
  ])
  const [example] = lines('s/train.jsonl')
  expect(example.completion[0].content).toBe('best')
  expect(example.proposals).toHaveLength(3)
})

test('standard input gives the bytes that its file gives', async () => {
  await build(['good.jsonl', '-o', 'of-file'])
  const piped = await build(['-', '-o', 'of-stdin'], good.join('\n'))
  expect(piped.code).toBe(0)
  expect(readFileSync(at('of-stdin/train.jsonl'))).toEqual(readFileSync(at('of-file/train.jsonl')))
  expect(readFileSync(at('of-stdin/README.md'), 'utf8')).toContain('| - | not a file |')
})

test('an archive that was cut off is said to be, and leaves no folder', async () => {
  writeFileSync(at('cut.jsonl.gz'), gzipSync(good.join('\n')).subarray(0, 200))
  const { code, stderr } = await build(['cut.jsonl.gz', '-o', 'cut'])
  expect([code === 0, stderr]).toEqual([
    false,
    expect.stringMatching(/^error: cut\.jsonl\.gz: unexpected end of file/),
  ])
  expect([existsSync(at('cut')), existsSync(at('cut.unfinished'))]).toEqual([false, false])
})
