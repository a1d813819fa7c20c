import { describe, expect, test } from 'vitest'
import type { Usage } from '../core/provider/engine.ts'
import { makePlan } from '../plans/strategies.ts'
import { defaultTemplate } from '../plans/wordings.ts'
import { boundSpending, createLedger, spendingOf, unpricedEngines } from './budget.ts'

const price = { inputPerMTok: 1, outputPerMTok: 10 }
const usage = (more: Partial<Usage>): Usage => ({
  calls: 1,
  inputTokens: 100,
  prefilledTokens: 100,
  outputTokens: 10,
  ...more,
})
const prompt = { messages: [{ role: 'user' as const, content: 'x'.repeat(400) }] }
const template = { ...defaultTemplate, aggregatorSystem: '{{proposals}}' } // 13 characters: 4 tokens

describe('what was spent', () => {
  test('counts a prompt where its request is, and again where it was sent again', () => {
    expect(spendingOf(usage({}), price)).toMatchObject({ inputTokens: 100, outputTokens: 10, cost: 0.0002 })
    expect(spendingOf(usage({ calls: 0 }), price)).toMatchObject({ calls: 0, inputTokens: 0, cost: 0.0001 })
    const repeated = { calls: 1, prefilledTokens: 100 }
    expect(spendingOf(usage({ calls: 0, repeated }), price)).toMatchObject({ calls: 1, inputTokens: 100 })
  })

  test("takes the provider's own cost first; without it and without a price it is unknown", () => {
    expect(spendingOf(usage({ cost: 0.5 }), price).cost).toBe(0.5)
    expect(spendingOf(usage({}), undefined).cost).toBeUndefined()
  })
})

describe('the most that a prompt may take', () => {
  const bound = (plan: Parameters<typeof makePlan>[0], prices = {}) =>
    boundSpending(prompt, { plan: makePlan({ maxTokens: 50, ...plan }), template, prices })

  test('is every completion at its longest, and each request sent once', () => {
    expect(bound({ proposers: ['a'], width: 5, depth: 2 }, { a: price })).toEqual({
      calls: 3,
      completions: 11,
      inputTokens: 104 + 2 * (104 + 4 + 5 * 50),
      outputTokens: 11 * 50,
      cost: (820 + 5500) / 1e6,
    })
  })

  test('counts a request for each member that sees a sample of its own', () => {
    expect(bound({ proposers: ['a'], strategy: 'rsa', width: 4, sample: 2, steps: 2 })).toMatchObject({
      calls: 5,
      completions: 8,
      inputTokens: 104 + 4 * (104 + 4 + 2 * 50),
    })
  })

  test('counts the judge', () => {
    expect(bound({ proposers: ['a'], strategy: 'best-of-n', width: 3 })).toMatchObject({
      calls: 2,
      completions: 4,
      inputTokens: 104 + 104 + 4 + 3 * 50,
      outputTokens: 3 * 50 + 4096,
    })
  })

  test('has no cost where one price is unknown', () => {
    const plan = makePlan({ proposers: ['a', 'b'] })
    expect(bound({ proposers: ['a', 'b'] }, { a: price }).cost).toBeUndefined()
    expect(unpricedEngines(plan, { a: price })).toEqual(['b'])
  })
})

describe('a ledger', () => {
  const tokens = (n: number) => ({ calls: 1, completions: 1, inputTokens: n, outputTokens: 0, cost: n })

  test('lets fit what may end within the limit beside what runs', () => {
    const ledger = createLedger({ maxTokens: 100 })
    ledger.spend(tokens(20))
    const release = ledger.reserve(tokens(50))
    expect([ledger.fits(tokens(30)), ledger.fits(tokens(31))]).toEqual([true, false])
    release(tokens(50))
    expect(ledger.fits(tokens(80))).toBe(true)
    expect(ledger.spent.inputTokens).toBe(20)
  })

  test('asks for more room once a prompt took more than its bound', () => {
    const ledger = createLedger({ maxTokens: 100 })
    ledger.reserve(tokens(20))(tokens(30))
    expect([ledger.fits(tokens(66)), ledger.fits(tokens(67))]).toEqual([true, false])
  })

  test('limits cost as it limits tokens', () => {
    const ledger = createLedger({ maxCost: 100 })
    ledger.reserve(tokens(60))
    expect([ledger.fits(tokens(40)), ledger.fits(tokens(41))]).toEqual([true, false])
  })
})

test('tools, calls and images are read as well, and text may be dearer than usual', () => {
  const plan = makePlan({ proposers: ['m'], strategy: 'single', maxTokens: 100 })
  const call = { id: 'c', type: 'function' as const, function: { name: 'f', arguments: '{"a":1}' } }
  const tool = { type: 'function' as const, function: { name: 'f', description: 'y'.repeat(1_000) } }
  const inputOf = (prompt: object, more = {}) => {
    const asked = { messages: [{ role: 'user' as const, content: 'x'.repeat(40) }], ...prompt }
    return boundSpending(asked, { plan, template, prices: {}, ...more }).inputTokens
  }
  const quarter = (value: unknown) => Math.ceil(JSON.stringify(value).length / 4)
  expect(inputOf({})).toBe(10 + 4)
  expect(inputOf({ tools: [tool] })).toBe(10 + 4 + quarter(tool))
  const called = [{ role: 'assistant', tool_calls: [call] }]
  expect(inputOf({ messages: called })).toBe(4 + quarter(call))
  const image = { type: 'image_url', image_url: { url: `data:image/png;base64,${'A'.repeat(1e6)}` } }
  const imageTwice = {
    messages: [{ role: 'user', content: [{ type: 'text', text: 'x'.repeat(40) }, image, image] }],
  }
  expect(inputOf(imageTwice)).toBe(10 + 4 + 2 * 1_600)
  expect(inputOf(imageTwice, { imageTokens: 85 })).toBe(10 + 4 + 2 * 85)
  const sound = (length: number) => ({ type: 'input_audio', input_audio: { data: 'A'.repeat(length) } })
  const heard = (length: number) => inputOf({ messages: [{ role: 'user', content: [sound(length)] }] })
  expect(heard(1_000)).toBe(4 + 1_600)
  expect(heard(640_000)).toBe(4 + Math.ceil(JSON.stringify(sound(640_000)).length / 64))
  expect(inputOf({}, { bytesPerToken: 1, requestTokens: 64 })).toBe(40 + 4 + 64)
})

test('a prompt that asks for JSON is bounded with one repair of each completion; with tools, only of the answer', () => {
  const plan = makePlan({ proposers: ['m'], width: 2, depth: 1, maxTokens: 100 })
  const bound = (prompt: object) =>
    boundSpending(
      { messages: [{ role: 'user', content: 'x' }], ...prompt },
      { plan, template: defaultTemplate, prices: {} },
    )
  const responseFormat = { type: 'json_object' as const }
  const tools = [{ type: 'function' as const, function: { name: 'f' } }]
  expect([bound({}), bound({ responseFormat }), bound({ responseFormat, tools })]).toMatchObject([
    { calls: 2, completions: 3, outputTokens: 300 },
    { calls: 5, completions: 3, outputTokens: 600 },
    { calls: 3, completions: 3, outputTokens: 400 },
  ])
})
