import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { aftHere as aft } from '../../../../test/aft-here.ts'
import { faultyRow } from './merge.fixture.ts'

const folder = mkdtempSync(join(tmpdir(), 'cli-merge-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const data = (...args: string[]) => aft(['data', ...args], { cwd: folder })
const filesOf = (name: string) =>
  readdirSync(join(folder, name), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.\w+$/.test(file))
    .sort()
    .map((file) => [file, readFileSync(join(folder, name, file), 'utf8')])

writeFileSync(join(folder, 'rows.jsonl'), Array.from({ length: 240 }, (_, i) => `${faultyRow(i)}\n`).join(''))
const flags = ['--validation', '0.2', '--plain', '0.3', '--sft-twin', '--max-bad', '0.5']
const build = (...args: string[]) => data('build', 'rows.jsonl', ...flags, ...args)

test('parts that are built alone and merged give the same files, byte for byte, as one build', async () => {
  const whole = await build('-o', 'whole')
  expect(whole.stderr).toMatch(/dropped: .*near-duplicate prompt/)
  for (const n of ['1', '2', '3'])
    expect(await build('--shard', `${n}/3`, '-o', `part-${n}`)).toMatchObject({ code: 0 })
  expect(readFileSync(join(folder, 'part-2/README.md'), 'utf8')).toContain('part 2 of 3')
  expect((await data('validate', 'part-2')).code).toBe(0)
  const merged = await data('merge', 'part-3', 'part-1', 'part-2', '-o', 'merged')
  expect(merged.stderr).toBe(whole.stderr.replace('See whole', 'See merged'))
  expect(filesOf('merged')).toEqual(filesOf('whole'))
})

test('without near-duplicates and repeated ids, the examples of the parts are those of one build, in order', async () => {
  const rows = Array.from({ length: 30 }, (_, i) => faultyRow(20 * i)).join('\n')
  writeFileSync(join(folder, 'plain.jsonl'), rows)
  const train = async (...args: string[]) => {
    await data('build', 'plain.jsonl', '--validation', '0.2', ...args)
    return readFileSync(join(folder, args.at(-1) as string, 'train.jsonl'), 'utf8')
  }
  const parts = [
    await train('--shard', '1/2', '-o', 'plain-1'),
    await train('--shard', '2/2', '-o', 'plain-2'),
  ]
  expect(parts.join('')).toBe(await train('-o', 'plain'))
})

test('a merge refuses other folders, missing parts, parts of other builds and parts that were changed', async () => {
  const merge = async (...parts: string[]) => (await data('merge', ...parts, '-o', 'no')).stderr
  expect(await merge('whole')).toContain('whole: expected a part that `aft data build --shard` made')
  expect(await merge('part-1', 'part-3')).toContain('expected each of 3 parts once, got the parts 1, 3')
  expect(await merge('part-1', 'part-2', 'part-2')).toContain('got the parts 1, 2, 2')
  await build('--shard', '3/3', '--seed', '1', '-o', 'other')
  expect(await merge('part-1', 'part-2', 'other')).toContain('built from other rows or with other flags')
  const file = join(folder, 'part-2/train.jsonl')
  writeFileSync(file, readFileSync(file, 'utf8').split('\n').slice(1).join('\n'))
  expect(await merge('part-1', 'part-2', 'part-3')).toMatch(/part-2.*build this part again/)
})

test('--shard refuses standard input and a model for the targets, which would be asked twice', async () => {
  expect((await data('build', '-', '--shard', '1/2', '-o', 'x')).stderr).toContain('not as standard input')
  const asked = await build('--shard', '1/2', '--target-model', 'scripted:echo', '-o', 'x')
  expect(asked.stderr).toContain('let `aft data label --shard` write the targets')
})

test('the same holds with threads in some parts and small files', async () => {
  const rows = Array.from({ length: 3000 }, (_, i) => `${faultyRow(i, 600)}\n`).join('')
  expect(Buffer.byteLength(rows)).toBeGreaterThan(32e6) // enough for threads
  writeFileSync(join(folder, 'large.jsonl'), rows)
  const large = (threads: string, ...args: string[]) =>
    data(
      'build',
      'large.jsonl',
      '--max-bad',
      '0.5',
      '--shard-size',
      '2MB',
      '--read-threads',
      threads,
      ...args,
    )
  await large('1', '-o', 'large')
  await large('2', '--shard', '1/2', '-o', 'large-1')
  await large('1', '--shard', '2/2', '-o', 'large-2')
  expect(await data('merge', 'large-1', 'large-2', '--shard-size', '2MB', '-o', 'joined')).toMatchObject({
    code: 0,
  })
  expect(filesOf('joined').length).toBeGreaterThan(5)
  expect(filesOf('joined')).toEqual(filesOf('large'))
})
