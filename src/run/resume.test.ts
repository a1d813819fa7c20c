import { readFileSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { echo, type Script, scriptedEngine } from '../engines/scripted/scripted.ts'
import { useJournal } from './resume.fixture.ts'

const { journal, run, runAnew, listRecords, listCompletions, resumeEveryCut } = useJournal()

const failsByThird: Script = (request, index) => {
  if ((request.seeds[index] ?? 0) % 3 > 0) return echo(request, index)
  return { text: 'half of', error: { kind: 'server', message: 'gone' } }
}

describe('a journal cut at any byte', () => {
  // The slow set cuts at every byte.
  test('resumes with every record once and the answers of an undisturbed run', () => resumeEveryCut(29))

  test('again and again, ends like an undisturbed run, whatever the plan', async () => {
    const shape = fc.oneof(
      fc.record({
        strategy: fc.constant('aft' as const),
        width: fc.integer({ min: 1, max: 4 }),
        depth: fc.nat(2),
      }),
      fc.record({
        strategy: fc.constant('rsa' as const),
        width: fc.constant(4),
        sample: fc.constantFrom(2, 4),
        steps: fc.integer({ min: 1, max: 3 }),
      }),
      fc.record({
        strategy: fc.constantFrom('self-consistency' as const, 'best-of-n' as const),
        width: fc.constant(3),
      }),
    )
    const plan = fc
      .tuple(shape, fc.constantFrom('as-sampled' as const, 'shuffled' as const))
      .map(([s, order]) => ({ ...s, order }))
    await fc.assert(
      fc.asyncProperty(
        plan,
        fc.boolean(),
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 }),
        async (plan, fails, cuts) => {
          const engines = () => ({ s: scriptedEngine(fails ? failsByThird : echo) })
          const setting = { questions: ['Why?', 'How?', 'When?'], plan, engines }
          const { answers } = await runAnew(setting)
          const completions = listCompletions()
          for (const cut of cuts) {
            const bytes = readFileSync(journal)
            writeFileSync(journal, bytes.subarray(0, Math.floor(cut * bytes.length)))
            expect(await run(setting)).toBe(answers)
            expect(listCompletions()).toEqual(completions)
          }
        },
      ),
      { numRuns: 30 },
    )
  }, 120_000)

  test('keeps an answer that repeats itself and the one that was sampled again', async () => {
    const runaway = 'on and on it goes '.repeat(30)
    const answered = (seed: number) => (seed % 2 === 0 ? runaway : `fine ${seed}`)
    const engines = () => ({
      s: scriptedEngine((request, index) =>
        JSON.stringify(request.messages).includes('Drafts:')
          ? answered(request.seeds[index] ?? 0)
          : echo(request, index),
      ),
    })
    const questions = Array.from({ length: 6 }, (_, i) => `Why ${i}?`)
    const setting = { questions, plan: { width: 2, depth: 1 }, engines }
    const { answers, bytes } = await runAnew(setting)
    const completions = listCompletions()
    expect(completions.length).toBeGreaterThan(3 * questions.length)
    expect(answers).toMatch(/"degraded":false/)
    const ends = [...bytes.entries()].filter(([, byte]) => byte === 0x0a).map(([i]) => i + 1)
    for (const end of ends) {
      writeFileSync(journal, bytes.subarray(0, end))
      expect(await run(setting), `cut at ${end}`).toBe(answers)
      expect(listCompletions(), `cut at ${end}`).toEqual(completions)
    }
  }, 60_000)

  test('keeps what failed, what fell back and what it cost', async () => {
    const engines = () => ({
      s: scriptedEngine(failsByThird),
      t: scriptedEngine(echo, { id: 't' }),
    })
    const setting = {
      questions: ['Why?', 'How?', 'When?'],
      plan: { width: 3, depth: 2, proposers: ['s'], aggregators: ['s', 't'] },
      engines,
    }
    const { answers, bytes } = await runAnew(setting)
    expect(answers).toMatch(/"degraded":true/)
    expect(listRecords().filter((record) => record.startsWith('failure'))).not.toEqual([])
    const ends = [...bytes.entries()].filter(([, byte]) => byte === 0x0a).map(([i]) => i + 1)
    for (const end of ends) {
      writeFileSync(journal, bytes.subarray(0, end))
      expect(await run(setting), `cut at ${end}`).toBe(answers)
    }
  }, 60_000)
})
