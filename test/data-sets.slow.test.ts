/** Builds the public data sets with the commands of the docs and checks the counts. Takes half a minute. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { aft } from './command-line.ts'

const data = path.join(import.meta.dirname, '../../shared/data')
const why = existsSync(data) ? '' : ` (skipped: ${data} is missing)`
const page = readFileSync(path.join(import.meta.dirname, '../docs/data.md'), 'utf8')

let cwd: string
beforeAll(() => {
  cwd = mkdtempSync(path.join(tmpdir(), 'data-sets-'))
})
afterAll(() => rmSync(cwd, { recursive: true, force: true }))

const lines = (file: string) =>
  readFileSync(path.join(cwd, file), 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))

async function build(out: string, ...args: string[]) {
  const built = await aft(['data', 'build', ...args, '-o', out], { cwd })
  expect(built.code).toBe(0)
  const valid = await aft(['data', 'validate', out], { cwd })
  expect(valid.code).toBe(0)
  return { said: built.stderr, valid: valid.stdout.trim() }
}

test.skipIf(why)(`GSM8K's four-model solutions: 1,276 + 43 of 1,319${why}`, async () => {
  const source = path.join(data, 'gsm8k/example_model_solutions.jsonl')
  const { valid } = await build('gsm8k', source, '--format', 'gsm8k-solutions', '--decontaminate', 'none')
  expect(valid).toBe('gsm8k is whole: 1276 examples to train on, 43 to validate')
  expect(page).toContain('| 1,319 | 1,276 | 43 | 0 |')
  for (const { prompt, completion } of lines('gsm8k/train.jsonl')) {
    expect(completion[0].content).toMatch(/\n#### [^\n]+$/)
    expect(JSON.stringify(prompt)).not.toContain('<<')
  }
})

test.skipIf(why)(
  `five systems' AlpacaEval answers with Together-MoA's as target: 747 + 47 of 805${why}`,
  async () => {
    const outputs = path.join(data, 'alpaca-eval/outputs')
    const target = path.join(outputs, 'Together-MoA.json')
    const systems = readdirSync(outputs)
      .filter((name) => !/^(Together-MoA|gpt4_1106_preview)\.json$/.test(name))
      .map((name) => path.join(outputs, name))
    expect(systems).toHaveLength(5)
    const common = [...systems, '--format', 'alpaca-eval', '--target-file', target]
    const { said, valid } = await build('alpaca', ...common, '--decontaminate', 'none')
    expect(valid).toBe('alpaca is whole: 747 examples to train on, 47 to validate')
    expect(said).toContain('dropped: 11 near-duplicate prompt')
    expect(page).toContain('| 805 | 747 | 47 | 11 near-duplicates |')
    const flagged = await build('flagged', ...common)
    expect(flagged.valid).toBe('flagged is whole: 0 examples to train on, 0 to validate')
    const dropped = lines('flagged/dropped.jsonl')
    expect(dropped).toHaveLength(805)
    expect(
      dropped.every(({ reason, detail }) => reason === 'benchmark' && detail.includes('alpaca-eval')),
    ).toBe(true)
    expect(page).toContain('| 805 | 0 | 0 | 805 of the benchmark |')
  },
)
