import { mkdtempSync, readFileSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
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

test('the journal of a real run has the size that is said, its tokens and requests too', async () => {
  const words = (seed: number) => `word${seed % 97} `.repeat(60 + (seed % 50))
  const reply = (seed: number) =>
    `${seed} ${words(seed)}`.replace(/(word\d+) (?=\1)/g, (w, _, at) => `${w}${at} `)
  const engine = scriptedEngine((request, index) => reply(request.seeds[index] ?? 0))
  const out = path.join(mkdtempSync(path.join(tmpdir(), 'forecast-')), 'a.jsonl')
  const prompts = Array.from({ length: 40 }, (_, i) => ({
    id: String(i),
    messages: [{ role: 'user' as const, content: `Question ${i}: ${'what is it? '.repeat(60)}` }],
  }))
  await runPrompts({ prompts, out, plan, engines: { s: engine } })
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
    hasLateUsage: false,
  })
  expect(found.completions).toBe(made.length)
  expect(found.requests).toBe(made.reduce((sum, { usage }) => sum + usage.calls, 0))
  const size = statSync(`${out}.journal`).size
  expect(found.journalBytes / size).toBeGreaterThan(0.9)
  expect(found.journalBytes / size).toBeLessThan(1.1)
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
