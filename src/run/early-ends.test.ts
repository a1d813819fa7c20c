/** A completion that has ended is in the journal, whatever its request still waits for. */
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { type Answer, delta, finish, open, usage } from '../engines/openai/openai.fixture.ts'
import { makePlan } from '../plans/strategies.ts'
import { runPrompts } from './run.ts'

const plan = makePlan({ proposers: ['s'], strategy: 'self-consistency', width: 2 })
const prompts = [{ id: 'p', messages: [{ role: 'user' as const, content: 'Name a river.' }] }]
const price = { inputPerMTok: 1e6, outputPerMTok: 1e6 }

/** Runs one prompt against a server with these answers; `lines` reads the journal. */
function useRun() {
  const out = path.join(mkdtempSync(path.join(tmpdir(), 'early-')), 'a.jsonl')
  const lines = () =>
    readFileSync(`${out}.journal`, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
  const run = async (answer: Answer, signal?: AbortSignal) => {
    const { engine } = await open({ id: 's' }, answer)
    return runPrompts({
      prompts,
      out,
      plan,
      engines: { s: engine },
      prices: { s: price },
      budget: { maxCost: 1e9 },
      signal,
    })
  }
  return { run, lines }
}
const isIn = (type: string, index: number) => (line: { type: string; index: number }) =>
  line.type === type && line.index === index

test('the usage of a completion follows in the journal, and counts once', async () => {
  const { run, lines } = useRun()
  let held: unknown
  const summary = await run(async (asked) => {
    asked.send(delta(0, 'The '), delta(0, 'Po'), finish(0), delta(1, 'Elbe'))
    await expect.poll(() => lines().find(isIn('completion', 0))).toBeDefined()
    held = lines().find(isIn('completion', 0))
    expect(lines().find(isIn('completion', 1))).toBe(undefined)
    asked.send(finish(1))
    // The last one does not wait for the usage either.
    await expect.poll(() => lines().find(isIn('completion', 1))).toBeDefined()
    asked.send(usage(7, 11))
    asked.done()
  })
  expect(held).toMatchObject({ text: 'The Po', usage: { estimated: true, outputTokens: expect.any(Number) } })
  expect(summary.outcome).toBe('done')
  const usages = lines().filter(({ type }) => type === 'usage')
  expect(usages.map((line) => line.usage.inputTokens)).toEqual([7, 7])
  expect(usages[0].usage.outputTokens + usages[1].usage.outputTokens).toBe(11)
  const end = lines().at(-1)
  expect(end.usage).toMatchObject({ calls: 1, outputTokens: 11 })
  expect(end.usage.estimated).toBe(undefined)
  expect(summary.progress.spent).toEqual({
    calls: 1,
    completions: 2,
    inputTokens: 7,
    outputTokens: 11,
    cost: 18,
  })
  // What is read from the journal is the same.
  const again = await run(() => {
    throw new Error('nothing is asked again')
  })
  expect(again.progress.spent).toEqual(summary.progress.spent)
})

test('a run that ends meanwhile keeps it, and asks only for the other', async () => {
  const { run, lines } = useRun()
  const stop = new AbortController()
  const first = await run(async (asked) => {
    asked.send(delta(0, 'The '), delta(0, 'Po'), finish(0), delta(1, 'Elbe'))
    await expect.poll(() => lines().find(isIn('completion', 0))).toBeDefined()
    stop.abort('killed')
    asked.done()
  }, stop.signal)
  expect(first.outcome).toBe('interrupted')
  const wanted: number[] = []
  const second = await run((asked) => {
    wanted.push(asked.body.n ?? 1)
    asked.send(delta(0, 'The '), delta(0, 'Rhine'), finish(0), usage(7, 3))
    asked.done()
  })
  expect(second.outcome).toBe('done')
  expect(wanted).toEqual([1])
  const texts = lines().filter(({ type }) => type === 'completion')
  expect(texts.map(({ index, text }) => [index, text])).toEqual([
    [0, 'The Po'],
    [1, 'The Rhine'],
  ])
})
