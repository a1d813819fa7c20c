import { expect, test } from 'vitest'
import { makePlan } from '../../../index.ts'
import { createTally } from './stop.ts'

test('a stop says what ended, what was written and what it cost', () => {
  const tally = createTally(makePlan({ proposers: ['a'], width: 2, depth: 1 }))
  expect(tally.describe(0)).toBe('stopped after 0.0 s: 0 of 3 completions, 0 tokens written')
  const usage = { calls: 1, inputTokens: 9, prefilledTokens: 9, outputTokens: 1200, cost: 0.0021 }
  const completion = { index: 0, text: 'x', usage, voice: 0, engine: 'a', seed: 0, ms: 0 }
  const piece = { type: 'completion-delta', layer: 0, text: 'x' } as const
  for (const index of [0, 1, 1]) tally.event({ ...piece, index })
  tally.event({ type: 'completion-end', layer: 0, completion: { ...completion, finishReason: 'stop' } })
  expect(tally.describe(3_100)).toBe(
    'stopped after 3.1 s: 1 of 3 completions, about 1,202 tokens written, $0.0021',
  )
})
