import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { validateFolder } from '../files/examples.ts'
import type { BadRow, SourceRow } from '../files/rows/row.ts'
import { randomFrom } from '../lib/random.ts'
import { paperTemplate } from '../plans/wordings.ts'
import { type BuildOptions, buildDataset } from './build.ts'
import { writeDataCard } from './data-card.ts'

const folder = mkdtempSync(join(tmpdir(), 'resume-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const at = (name: string) => join(folder, name)

const COUNT = 300
const rows: (SourceRow | BadRow)[] = makeRows()

/** Rows with equal and nearly equal prompts, ids that come again, and one broken row. */
function makeRows(): (SourceRow | BadRow)[] {
  const random = randomFrom(5)
  const say = (words: number) =>
    Array.from({ length: words }, () => `wörd${Math.floor(random() * 900)}`).join(' ')
  const prompts = Array.from({ length: 200 }, () => say(40))
  return Array.from({ length: COUNT }, (_, i) => {
    if (i === 120) return { place: 'x.jsonl:121', problem: 'expected an object' }
    const content = `${prompts[Math.floor(random() * 200)]}${i % 3 === 0 ? ' please' : ''}`
    return {
      id: i % 9 === 0 ? 'same' : `row-${i}`,
      prompt: [{ role: 'user' as const, content }],
      responses: ['a', 'b', 'c'].map((model) => ({ text: say(12), model })),
      target: say(9),
    }
  })
}

async function build(
  out: string,
  more: Partial<BuildOptions> & { rows?: Iterable<SourceRow | BadRow> } = {},
) {
  const resumed: number[] = []
  const counts = await buildDataset({
    rows,
    source: 'test',
    out: at(out),
    template: paperTemplate,
    seed: 1,
    target: 'gold',
    proposals: 3,
    minProposals: 2,
    chooseBy: 'models',
    benchmarks: [],
    dropsNearDuplicates: true,
    maxBadShare: 0.5,
    plainShare: 0.3,
    hasSftTwin: true,
    validationShare: 0.2,
    shardBytes: 20_000,
    checkpointBytes: 30_000,
    identity: { source: 'rows', seed: 1 },
    onResume: (count) => resumed.push(count),
    writeCard: (counts, path, namesOf) =>
      writeDataCard(
        path,
        { format: 'f', inputs: [], template: paperTemplate, settings: {}, hasSftTwin: true },
        counts,
        namesOf,
      ),
    ...more,
  })
  return { counts, resumed }
}

function* cutAfter(count: number): Generator<SourceRow | BadRow> {
  yield* rows.slice(0, count)
  throw new Error('power is gone')
}

const read = (out: string) =>
  Object.fromEntries(
    readdirSync(at(out), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.\w+$/.test(name))
      .sort()
      .map((name) => [name, readFileSync(join(at(out), name), 'utf8')]),
  )

test('a large result is written in shards, which together are the one file of a build without', async () => {
  await build('one', { shardBytes: undefined })
  const { counts } = await build('shards')
  const [one, shards] = [read('one'), read('shards')]
  const names = Object.keys(shards).filter((name) => name.startsWith('train-'))
  expect(names.length).toBeGreaterThan(4)
  expect(names[0]).toMatch(/^train-00000-of-000\d\d\.jsonl$/)
  expect(names.map((name) => shards[name]).join('')).toBe(one['train.jsonl'])
  for (const name of names) expect(Buffer.byteLength(shards[name] ?? '')).toBeLessThanOrEqual(20_000)
  const twins = Object.keys(shards).filter((name) => name.startsWith('sft/train-'))
  expect(twins.map((name) => shards[name]).join('')).toBe(one['sft/train.jsonl'])
  expect(shards['README.md']).toContain('path: train-*-of-*.jsonl')
  expect(shards['README.md']).toContain('path: sft/train-*-of-*.jsonl')
  expect(await validateFolder(at('shards'))).toMatchObject({
    train: counts.train,
    validation: counts.validation,
  })
  rmSync(join(at('shards'), names[1] ?? ''))
  await expect(validateFolder(at('shards'))).rejects.toThrow(
    `expected ${names.length} files like train-00000-of-`,
  )
})

test('an interrupted build resumes from its last checkpoint and gives the same bytes and counts', async () => {
  const whole = await build('whole')
  expect(whole.resumed).toEqual([])
  await expect(build('cut', { rows: cutAfter(90) })).rejects.toThrow('power is gone')
  // what was written after the checkpoint is cut off
  writeFileSync(at('cut.unfinished/dropped.jsonl'), '{"row":"later"}\n', { flag: 'a' })
  await expect(build('cut', { rows: cutAfter(250) })).rejects.toThrow('power is gone')
  expect(existsSync(at('cut'))).toBe(false)
  const { counts, resumed } = await build('cut')
  expect(resumed[0]).toBeGreaterThan(120)
  expect(JSON.stringify(counts)).toBe(JSON.stringify(whole.counts))
  expect(Object.keys(counts.dropped).sort()).toEqual(['duplicate prompt', 'near-duplicate prompt'])
  expect(read('cut')).toEqual(read('whole'))
  expect(existsSync(at('cut.unfinished'))).toBe(false)
})

test('an interrupted build is not resumed with other settings; --restart begins anew', async () => {
  await expect(build('other', { rows: cutAfter(200) })).rejects.toThrow('power is gone')
  await expect(build('other', { identity: { source: 'rows', seed: 2 } })).rejects.toThrow(
    'other.unfinished is an interrupted build with another seed: 1, now 2. Give the same flags',
  )
  const { resumed } = await build('other', { identity: { source: 'rows', seed: 2 }, restart: true })
  expect(resumed).toEqual([])
  expect(read('other')).toEqual(read('whole'))
})

test('a build that is interrupted before its first checkpoint leaves nothing', async () => {
  await expect(build('early', { rows: cutAfter(2) })).rejects.toThrow('power is gone')
  expect([existsSync(at('early')), existsSync(at('early.unfinished'))]).toEqual([false, false])
})
