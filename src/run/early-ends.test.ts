/** A completion that has ended is in the journal, whatever its request still waits for. */
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { type Answer, delta, finish, open, usage } from '../engines/openai/openai.fixture.ts'
import { readRunJournal } from '../files/run-journal.ts'
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
  return { run, lines, file: `${out}.journal` }
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

test('a text that came whole in one piece is kept too, and the answer warns if a kill left that uncertain', async () => {
  const { run, lines } = useRun()
  const stop = new AbortController()
  await run(async (asked) => {
    asked.send(delta(0, 'The Po', 'stop'))
    await expect.poll(() => lines().find(isIn('completion', 0))).toBeDefined()
    stop.abort('killed')
    asked.done()
  }, stop.signal)
  const second = await run((asked) => {
    expect(asked.body.n ?? 1).toBe(1)
    asked.send(delta(0, 'The Po', 'stop'), usage(7, 3))
    asked.done()
  })
  expect(second.outcome).toBe('done')
  expect(lines().at(-1)).toMatchObject({
    answer: 'The Po',
    warnings: [expect.stringContaining('may not be whole')],
  })
})

test('of a text that went on after its end the whole is in the journal, once', async () => {
  const { run, lines, file } = useRun()
  await run(async (asked) => {
    asked.send(delta(0, 'The ', 'stop'), delta(1, 'The Po', 'stop'))
    await expect.poll(() => lines().find(isIn('completion', 0))).toBeDefined()
    asked.send(delta(0, 'Po', 'stop'), usage(7, 6))
    asked.done()
  })
  expect(lines().filter(({ type }) => type === 'completion')).toHaveLength(2)
  expect(lines().find(isIn('usage', 0)).completion).toMatchObject({
    text: 'The Po',
    usage: { inputTokens: 7 },
  })
  expect(lines().at(-1)).toMatchObject({ answer: 'The Po', usage: { outputTokens: 6 } })
  expect(lines().at(-1).warnings).toBe(undefined)
  const { prompts: read } = await readRunJournal(file)
  expect(read[0]?.layers[0]?.completions.map(({ text }) => text)).toEqual(['The Po', 'The Po'])
})
