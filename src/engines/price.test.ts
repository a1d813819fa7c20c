import { expect, test } from 'vitest'
import type { CompletionRequest, Engine } from '../core/provider/engine.ts'
import { costOf, withPrice } from './price.ts'
import { scriptedEngine } from './scripted/scripted.ts'

const price = { inputPerMTok: 1, outputPerMTok: 4 }
const usage = { calls: 1, inputTokens: 1000, prefilledTokens: 1000, outputTokens: 500 }
const request: CompletionRequest = {
  messages: [{ role: 'user', content: 'a b c d' }],
  n: 3,
  seeds: [1, 2, 3],
  sampling: { maxTokens: 9 },
}

async function costsOf(engine: Engine) {
  const costs: (number | undefined)[] = []
  for await (const event of engine.generate(request)) if ('usage' in event) costs.push(event.usage?.cost)
  return costs
}

test('a prompt is paid once a call, its completions each', async () => {
  expect(costOf(usage, price)).toBeCloseTo(0.003, 12)
  expect(costOf({ ...usage, calls: 0 }, price)).toBeCloseTo(0.002, 12)
  const costs = await costsOf(withPrice(scriptedEngine([{ replies: ['one'] }]), price))
  expect(costs.sort()).toEqual([4e-6, 4e-6, 8e-6])
})

test('a failed completion is paid too, and what the provider tells is believed', async () => {
  const script = [{ replies: [{ text: 'half', error: { kind: 'server' as const, message: 'gone' } }] }]
  expect((await costsOf(withPrice(scriptedEngine(script), price))).sort()).toEqual([4e-6, 4e-6, 8e-6])
  const told = scriptedEngine([{ replies: [{ text: 'x', usage: { cost: 7 } }] }])
  expect(await costsOf(withPrice(told, price))).toEqual([7, 7, 7])
})

test('all else of the engine stays', async () => {
  const engine = { ...scriptedEngine([], { contextLength: 9 }), close: async () => {} }
  const priced = withPrice(engine, price)
  expect(priced).toMatchObject({ id: 'scripted', contextLength: 9 })
  expect(await priced.countTokens?.(request.messages)).toBe(4)
  expect(priced.score).toBeUndefined()
  await expect(priced.close?.()).resolves.toBeUndefined()
})
