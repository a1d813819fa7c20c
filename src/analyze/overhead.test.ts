import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { scriptedEngine } from '../engines/scripted/scripted.ts'
import { readRunJournal } from '../files/run-journal.ts'
import { makePlan } from '../plans/strategies.ts'
import { runPrompts } from '../run/run.ts'
import { attributeJournal } from './journal-attribution.ts'
import { compareOverhead, predictOverhead } from './overhead.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'overhead-'))
const file = (name: string) => path.join(folder, name)

/** Tokens of query, answer and instruction, as in examples of the literature. */
const lengths = { query: 60, completion: 780, longest: 780, instruction: 130 }

test.each([
  [5, 0, 780, 60, 60, 780],
  [5, 1, 4_680, 4_390, 4_150, 1_560],
  [5, 2, 8_580, 24_840, 8_240, 2_340],
  [5, 3, 12_480, 45_290, 12_330, 3_120],
  [10, 2, 16_380, 88_490, 16_040, 2_340],
  [16, 2, 25_740, 216_350, 25_400, 2_340],
])(
  'width %i, depth %i: %i written, %i read without sharing, %i with, %i one after the other',
  (width, depth, ...tokens) => {
    const plan = makePlan({ proposers: ['p'], width, depth })
    const predicted = predictOverhead(plan, lengths)
    expect([
      predicted.output_tokens,
      predicted.input_tokens,
      predicted.prefilled_tokens,
      predicted.critical_tokens,
    ]).toEqual(tokens)
    expect(predicted).toMatchObject({ calls: depth + 1, completions: depth === 0 ? 1 : width * depth + 1 })
  },
)

test('if members see a sample, each reads its own prompt', () => {
  const plan = makePlan({ strategy: 'rsa', proposers: ['p'], width: 4, sample: 2, steps: 2 })
  expect(predictOverhead(plan, lengths)).toMatchObject({
    calls: 5,
    completions: 8,
    prefilled_tokens: 60 + 4 * (60 + 130 + 2 * 780),
  })
})

test('the formula agrees with a journal of equal completions', async () => {
  const engine = scriptedEngine([
    { replies: ['one two three four five', 'six seven eight nine ten'], pick: 'seed' },
  ])
  const prompts = ['a', 'b'].map((id) => ({
    id,
    messages: [{ role: 'user' as const, content: `question ${id}` }],
  }))
  const plan = makePlan({ proposers: ['p'], width: 3, depth: 2 })
  await runPrompts({ prompts, out: file('a.jsonl'), plan, engines: { p: engine } })
  const {
    measured,
    predicted,
    best_of_n: best,
    n,
  } = compareOverhead(await readRunJournal(file('a.jsonl.journal')))
  expect({ n, calls: measured.calls, completions: measured.completions }).toEqual({
    n: 2,
    calls: 3,
    completions: 7,
  })
  for (const column of ['input_tokens', 'prefilled_tokens', 'output_tokens', 'critical_tokens'] as const) {
    expect(predicted[column]).toBeGreaterThan((measured[column] ?? 0) * 0.95)
    expect(predicted[column]).toBeLessThan((measured[column] ?? 0) * 1.05)
  }
  expect(best).toMatchObject({ calls: 1, completions: 7 })
  expect(best.prefilled_tokens).toBeLessThan(measured.prefilled_tokens ?? 0)
  const { copy_rate: copied, prompts: each } = attributeJournal(await readRunJournal(file('a.jsonl.journal')))
  expect(each.map((prompt) => prompt.id)).toEqual(['a', 'b'])
  expect(copied).toBeGreaterThanOrEqual(0)
})

test('a file that is not a journal is refused with the line', async () => {
  writeFileSync(file('no.jsonl'), '{"id": 1}\n')
  await expect(readRunJournal(file('no.jsonl'))).rejects.toThrow(/no.jsonl:1: expected a line of a journal/)
  writeFileSync(file('empty.jsonl'), '')
  await expect(readRunJournal(file('empty.jsonl'))).rejects.toThrow(/got no header/)
})
