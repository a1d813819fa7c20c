import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readRecords } from '../files/rows/read-records.ts'
import { randomFrom } from '../lib/random.ts'
import { paperTemplate } from '../plans/wordings.ts'
import { buildDataset } from './build.ts'
import { writeDataCard } from './data-card.ts'
import { makeFingerprints } from './fingerprints.ts'
import { readInParallel } from './parallel-rows.ts'
import { findSource } from './sources/sources.ts'

const folder = mkdtempSync(join(tmpdir(), 'parallel-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const at = (name: string) => join(folder, name)

const leaked = 'A farmer has twelve hens, and each of them lays five eggs in a week of rain.'

/** Two megabytes with the faults of real files: a repeated prompt, a repeated id, broken and blank lines, odd line ends. */
function writeRows(file: string): void {
  const random = randomFrom(3)
  const say = (words: number) =>
    Array.from({ length: words }, () => `wörd${Math.floor(random() * 400)}`).join(' ')
  const prompts = Array.from({ length: 200 }, (_, i) => (i === 40 ? leaked : `Tell me of ${i}: ${say(30)}`))
  const lines = Array.from({ length: 400 }, (_, i) => {
    const prompt = prompts[Math.floor(random() * prompts.length)] + (i % 7 === 0 ? ' please' : '')
    const responses = Array.from({ length: 4 }, (_, k) => ({
      text: say(140),
      model: `m${k}`,
      score: random(),
    }))
    if (i % 90 === 50) return i % 4 === 0 ? '{"prompt": 7, "responses": []}' : '{"prompt": "cut'
    return (
      JSON.stringify({ ...(i % 5 === 0 && { id: 'same' }), prompt, responses }) + (i % 11 === 0 ? '\r' : '')
    )
  })
  lines.splice(100, 0, '', '  ')
  writeFileSync(file, `\uFEFF${lines.join('\n')}`)
}

function optionsFor(out: string) {
  return {
    source: 'test',
    out: at(out),
    template: paperTemplate,
    seed: 1,
    target: 'best' as const,
    proposals: 3,
    minProposals: 2,
    chooseBy: 'models' as const,
    dropsNearDuplicates: true,
    benchmarks: [makeFingerprints('hens', [leaked])],
    plainShare: 0.3,
    hasSftTwin: true,
    validationShare: 0.2,
    maxBadShare: 0.5,
    overlapShare: 0.5,
    writeCard(counts: Parameters<typeof writeDataCard>[2], path: string) {
      const facts = { format: 'f', inputs: [], template: paperTemplate, settings: {}, hasSftTwin: true }
      writeDataCard(path, facts, counts)
    },
  }
}

async function build(out: string, workers: number) {
  const options = optionsFor(out)
  const files = [at('a.jsonl'), at('b.jsonl')]
  const source = findSource('responses')
  const rows =
    workers === 0
      ? source.read(readRecords(files))
      : readInParallel(files, { ...options, format: 'responses', workers })
  return buildDataset({ ...options, rows })
}

test('any number of worker threads gives the same bytes and counts as no threads', async () => {
  for (const name of ['a.jsonl', 'b.jsonl']) writeRows(at(name))
  const counts = await build('none', 0)
  expect(counts.bad).toBeGreaterThan(5)
  expect(counts.benchmarks.hens).toBeGreaterThan(0)
  expect(Object.keys(counts.dropped)).toEqual(
    expect.arrayContaining(['benchmark', 'duplicate prompt', 'near-duplicate prompt']),
  )
  const names = ['train.jsonl', 'validation.jsonl', 'dropped.jsonl', 'README.md']
  for (const skip of [1, 390, 500, 790]) {
    let rows = 0
    const options = { ...optionsFor('skipped'), format: 'responses', workers: 1, skip }
    for await (const _ of readInParallel([at('a.jsonl'), at('b.jsonl')], options)) rows++
    expect(rows).toBe(counts.read - skip)
  }
  for (const workers of [1, 3]) {
    const out = `with-${workers}`
    expect(JSON.stringify(await build(out, workers))).toBe(JSON.stringify(counts))
    for (const name of [...names, 'sft/train.jsonl', 'sft/validation.jsonl']) {
      const bytes = readFileSync(at(`none/${name}`))
      expect(bytes.length).toBeGreaterThan(100)
      expect(readFileSync(at(`${out}/${name}`)).equals(bytes)).toBe(true)
    }
  }
})
