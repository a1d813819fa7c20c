/** Bad input and full disks, as `aft data build` meets them. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { aft } from '../../../../test/command-line.ts'
import { isSlow } from '../../../../test/slow.ts'

/** Only registered in the slow set. */
const slowTest = isSlow ? test : { skipIf: () => () => {} }

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
writeFileSync(at('good.jsonl'), good.join('\n'))
writeFileSync(
  at('bad.jsonl'),
  Buffer.concat([
    Buffer.from([...good, ...bad, '{"prompt":"'].join('\n')),
    Buffer.from([0xff, 0xfe]),
    Buffer.from(`"}\n${long}\n{"prompt":"to`),
  ]),
)

test('more broken records than may be: the first is named, exit code 1, and no folder is left', async () => {
  const { code, stderr } = await build(['bad.jsonl', '-o', 'none'])
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringMatching(
      /^error: bad\.jsonl:21: expected JSON: .*\. 9 of 33 records are broken; --max-bad sets/,
    ),
  })
  expect(readdirSync(folder).filter((name) => name.startsWith('none'))).toEqual([])
})

slowTest.skipIf(process.platform === 'win32')(
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
