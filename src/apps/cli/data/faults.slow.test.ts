/** Bad input and full disks, as `aft data build` meets them. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { good, row, useBadRows } from './faults.fixture.ts'

const { at, build, folder, lines } = useBadRows()

test('every bad row is in dropped.jsonl with its line or id and what is wrong with it; a prompt of 1 MB is not a bad row', async () => {
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
    expect.stringMatching(/^bad\.jsonl:27 broken "expected `prompt` to be text or a list of messages, got /),
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

test('a score that says N/A or nothing counts as absent', async () => {
  const scores = row(109, {
    target: undefined,
    responses: [
      { text: 'unrated', score: 'N/A' },
      { text: 'best', score: '4' },
      { text: 'odd', score: null },
      { text: 'worst', score: 1 },
    ],
  })
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

test('a cut archive is an error that says so, and leaves no folder', async () => {
  writeFileSync(at('cut.jsonl.gz'), gzipSync(good.join('\n')).subarray(0, 200))
  const { code, stderr } = await build(['cut.jsonl.gz', '-o', 'cut'])
  expect([code === 0, stderr]).toEqual([
    false,
    expect.stringMatching(/^error: cut\.jsonl\.gz: unexpected end of file/),
  ])
  expect([existsSync(at('cut')), existsSync(at('cut.unfinished'))]).toEqual([false, false])
})

test.skipIf(process.platform === 'win32')(
  'a disk that fills up while it is written: said, nothing half-written, what was there stays, and the next run starts clean',
  async () => {
    await build(['good.jsonl', '-o', 'kept'])
    const before = readFileSync(at('kept/train.jsonl'))
    mkdirSync(at('kept.unfinished'))
    writeFileSync(at('kept.unfinished/left-behind'), 'by a run that was killed')
    const command = [
      process.execPath,
      join(import.meta.dirname, '../../../../bin/aft.js'),
      'data',
      'build',
      'bad.jsonl',
    ]
    const flags = ['--max-bad', '0.5', '--restart', '-o', 'kept']
    const limited = () =>
      // the shell's unit is 512 bytes; what would be written beyond it fails as a full disk does
      execFileSync('sh', ['-c', 'ulimit -f 16; exec "$@"', 'sh', ...command, ...flags], {
        cwd: folder,
        stdio: 'pipe',
      })
    expect(limited).toThrow(
      /kept: the file would be larger than the system allows\. Nothing of it is kept: make room/,
    )
    expect(readFileSync(at('kept/train.jsonl'))).toEqual(before)
    expect(existsSync(at('kept.unfinished'))).toBe(false)
    expect((await build(['bad.jsonl', ...flags])).code).toBe(0)
    expect(lines('kept/train.jsonl')).toHaveLength(21)
    expect(readdirSync(at('kept')).sort()).toEqual([
      'README.md',
      'dropped.jsonl',
      'report.html',
      'train.jsonl',
      'validation.jsonl',
    ])
  },
)
