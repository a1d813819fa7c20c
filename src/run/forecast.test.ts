import { mkdtempSync, readFileSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { enginesOf, type Plan } from '../core/plan.ts'
import type { Engine } from '../core/provider/engine.ts'
import { delta, finish, open, usage } from '../engines/openai/openai.fixture.ts'
import { scriptedEngine } from '../engines/scripted/scripted.ts'
import { simulate } from '../lib/level.fixture.ts'
import { makePlan } from '../plans/strategies.ts'
import { type ForecastInput, forecast, readHardware } from './forecast.ts'
import { runPrompts } from './run.ts'

const plan = makePlan({ proposers: ['s'], width: 5, depth: 2 })
const input: ForecastInput = {
  prompts: 1_000_000,
  promptTokens: 200,
  frameTokens: 150,
  outputTokens: 400,
  plan,
}

test('a million prompts of 5 × 2 with a model of 8 billion parameters', () => {
  const found = forecast({ ...input, hardware: readHardware('8xH100 8B'), chunkTokens: 10 })
  expect(found).toMatchObject({ requests: 3e6, completions: 11e6, inputTokens: 4.9e9, outputTokens: 4.4e9 })
  // Worked out by hand: 54 hours to read, 134 to write; 168 to read if each sample reads its prompt.
  expect(found.gpu?.prefillHours).toBeCloseTo(55, 0)
  expect(found.gpu?.hours).toBeGreaterThan(140)
  expect(found.gpu?.hours).toBeLessThan(240)
  expect(found.gpu?.wallHours).toBeCloseTo((found.gpu?.hours as number) / 8, 5)
  expect(found.journalBytes / 1e9).toBeGreaterThan(20)
  expect(found.journalBytes / 1e9).toBeLessThan(34)
  const ten = forecast({ ...input, prompts: 10_000_000, hardware: readHardware('64xh200 8B') })
  expect(ten.outputTokens).toBe(44e9)
  expect(ten.memoryBytes / 1e9).toBeCloseTo(9.2, 1)
})

test('a large model takes several GPUs for a copy, and too few are refused', () => {
  expect(forecast({ ...input, hardware: readHardware('8xH100 70B') }).gpu?.hours).toBeGreaterThan(1_000)
  expect(() => forecast({ ...input, hardware: readHardware('H100 70B') })).toThrow(
    'needs 3 H100 for one copy, got 1',
  )
})

test.each(['8xT4 8B', 'H100', '0xH100 8B', '8xH100 0B', 'H100 8'])(
  '%s is refused with the GPUs that are known',
  (text) => {
    expect(() => readHardware(text)).toThrow(/expected GPUs and the size of a model.*H100/)
  },
)

/** Runs prompts, and says what its journal has beside what was said of it. */
async function runReally(engine: Engine, { plan, hasLateUsage }: { plan: Plan; hasLateUsage: boolean }) {
  const out = path.join(mkdtempSync(path.join(tmpdir(), 'forecast-')), 'a.jsonl')
  const prompts = Array.from({ length: 40 }, (_, i) => ({
    id: String(i),
    messages: [{ role: 'user' as const, content: `Question ${i}: ${'what is it? '.repeat(10)}` }],
  }))
  await runPrompts({ prompts, out, plan, engines: { [enginesOf(plan)[0] as string]: engine } })
  const lines = readFileSync(`${out}.journal`, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  const made = lines.filter(({ type }) => type === 'completion')
  const mean = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0) / numbers.length
  const found = forecast({
    prompts: prompts.length,
    promptTokens: mean(
      prompts.map(({ messages: [message] }) => Buffer.byteLength(message?.content ?? '') / 4),
    ),
    frameTokens: 0,
    outputTokens: mean(made.map(({ text }) => Buffer.byteLength(text) / 4)),
    plan,
    hasLateUsage,
  })
  const [header] = readFileSync(`${out}.journal`, 'utf8').split('\n', 1)
  const size = statSync(`${out}.journal`).size - (header?.length ?? 0) // there is one, however many prompts
  return { found, lines, made, ratio: found.journalBytes / size }
}

const address = 'http://127.0.0.1:8000/v1#llama'
const single = makePlan({ proposers: ['s'], strategy: 'single' })
test.each([
  ['110 words', 110, plan],
  ['three words', 3, plan],
  ['three words, asked once', 3, single],
  ['a word of many completions', 1, makePlan({ proposers: [address], width: 12, depth: 3 })],
])(
  'the journal of a real run with %s has the size that is said, its tokens and requests too',
  async (_, words, plan) => {
    const text = (seed: number) =>
      Array.from({ length: words }, (_, i) => `word${(seed + 7 * i) % 97}`).join(' ')
    const engine = scriptedEngine((request, index) => text(request.seeds[index] ?? 0))
    const { found, made, ratio } = await runReally(engine, { plan, hasLateUsage: false })
    expect(found.completions).toBe(made.length)
    expect(found.requests).toBe(made.reduce((sum, { usage }) => sum + usage.calls, 0))
    expect(ratio).toBeGreaterThan(0.93)
    expect(ratio).toBeLessThan(1.07)
  },
)

test.each([3, 60])('with a server that says the usage later, it has that too: %i words', async (words) => {
  const plan = makePlan({ proposers: [address], width: 5, depth: 2 })
  const { engine } = await open({ id: 's' }, (asked) => {
    for (let i = 0; i < (asked.body.n ?? 1); i++) {
      for (let k = 0; k < words; k++) asked.send(delta(i, ` word${(asked.body.seed + i + 7 * k) % 97}`))
      asked.send(finish(i))
    }
    asked.send(usage(100, words * (asked.body.n ?? 1)))
    asked.done()
  })
  const { lines, made, ratio } = await runReally(engine, { plan, hasLateUsage: true })
  expect(lines.filter(({ type }) => type === 'usage')).toHaveLength(made.length)
  expect(ratio).toBeGreaterThan(0.96)
  expect(ratio).toBeLessThan(1.04)
})

test('a model in this process says its usage with the text, and a server later', () => {
  const bytes = (name: string, more = {}) =>
    forecast({ ...input, plan: makePlan({ proposers: [name], strategy: 'single' }), ...more }).journalBytes
  const gap = (name: string, more = {}) => bytes(name, more) - bytes(name, { ...more, hasLateUsage: false })
  expect([gap('smollm2'), gap('scripted:echo'), gap('gguf:a.gguf')]).toEqual([0, 0, 0])
  expect(gap(address) / input.prompts).toBeGreaterThan(150)
  expect(gap('smollm2', { hardware: readHardware('8xH100 8B') })).toBeGreaterThan(0)
})

test('the time to write is what the scheduler needs in its simulation', async () => {
  const [places, texts, tokens] = [32, 32 * 40, 50]
  const lengthOf = (i: number) => tokens - 20 + ((i * 7919) % 41)
  const { ms: steps } = await simulate({ places, texts, fixed: 2 * places, lengthOf })
  // The forecast takes it that all places are busy until the end.
  const expected = (texts * tokens) / places
  expect(expected / steps).toBeGreaterThan(0.93)
  expect(expected / steps).toBeLessThanOrEqual(1.01)
})
