import { expect, test } from 'vitest'
import { type Reply, scriptedEngine } from '../../../engines/scripted/scripted.ts'
import { answer } from '../../../index.ts'
import { summaryOf } from './summary.ts'

const ask = (replies: Reply[], options = {}) => {
  const engine = scriptedEngine([{ replies }], { id: 'm' })
  return answer('Why?', { engine, width: 2, depth: 1, ...options })
}

test('it says what was made, taken and used', async () => {
  const result = await ask([{ text: 'So.', usage: { prefilledTokens: 1000 } }])
  expect(summaryOf(result, 1234)).toBe(
    '3 completions in 2 calls · 3 tokens written, 3,000 read · 1.2 s · m · seed 0',
  )
})

test('one thing is in the singular', async () => {
  const result = await ask([{ text: 'So.' }], { strategy: 'single' })
  expect(summaryOf(result, 50)).toBe('1 completion in 1 call · 1 token written, 1 read · 0.1 s · m · seed 0')
})

test('it says what is missing, cut, paid, unknown or skipped', async () => {
  const failing = { error: { kind: 'timeout', message: 'slow' } } as const
  expect(summaryOf(await ask([{ text: 'So.' }, failing], { depth: 1, seed: 4 }), 0)).toMatch(
    /^[12] of 3 completions/,
  )
  expect(summaryOf(await ask([{ text: 'So it is' }], { maxTokens: 2 }), 0)).toMatch(/cut by --max-tokens$/)
  expect(summaryOf(await ask([{ text: 'So.', usage: { cost: 0.00042 } }]), 0)).toContain('· $0.0013 ·')
  expect(summaryOf(await ask([{ text: 'So.', usage: { prefilledTokens: null } }]), 0)).toContain('written ·')
  expect(summaryOf(await ask([{ text: 'So.' }], { stopAtAgreement: 0.9 }), 0)).toBe(
    '2 completions in 1 call · 2 tokens written, 1 read · 0.0 s · m · seed 0 · the proposals agree (1.00): later layers skipped',
  )
})

test('it says how much of the prompts came from a cache, by role', async () => {
  const result = await ask([{ text: 'So.', usage: { inputTokens: 100, prefilledTokens: 40 } }])
  expect(result.usage.cachedTokens).toEqual({ proposer: 60, aggregator: 60 })
  expect(summaryOf(result, 50)).toContain(' · prompt cache: proposers 60, aggregators 60 · ')
  const unknown = await ask([{ text: 'So.', usage: { prefilledTokens: null } }])
  expect(unknown.usage).not.toHaveProperty('cachedTokens')
})
