import { expect, test } from 'vitest'
import type { Attention } from '../engine-options.ts'
import { type AttentionCost, chooseFastest, estimateMs } from './measure-attention.ts'

/** Costs as on a Xeon with AMX: flash attention reads faster, and without it a token behind 768 others costs less. */
function cost(attention: Attention, late: number, change = 0.05): AttentionCost {
  const isFlash = attention === 'flash'
  return {
    attention,
    read: isFlash ? { early: 80, late: 180 } : { early: 110, late: 240 },
    one: isFlash ? { early: 12, late: 26 } : { early: 14, late: 22 },
    wide: { early: isFlash ? 22 : 30, late },
    change,
  }
}
const depth = 768
const flash = cost('flash', 62)

test('the time of a question is that of its prompts and of all that is written', () => {
  const flat = { early: 64, late: 64 }
  const all: AttentionCost = { ...flash, read: flat, one: flat, wide: flat }
  // Three layers of 100 passes, and prompts of 64 and twice 564 tokens at 64 ms per chunk.
  expect(estimateMs(all, depth, 100)).toBeCloseTo(3 * 100 * 64 + 64 + 2 * 564, 6)
})

test('five sequences cost more than four by as much as a third of what three more cost', () => {
  const none = { early: 0, late: 0 }
  const costs: AttentionCost = { ...flash, read: none, one: none, wide: { early: 3, late: 3 } }
  expect(estimateMs(costs, depth, 100)).toBeCloseTo(2 * 100 * 4, 6)
})

test('short texts get flash attention, and long ones what writes faster', () => {
  const costs = [flash, cost('plain', 52), cost('plain-bf16', 53)]
  expect(chooseFastest({ depth, costs }, 96)).toBe('flash')
  expect(chooseFastest({ depth, costs }, 600)).toBe('plain')
})

test('a gain of less than 5 % is noise, and a way that changes log probabilities is not taken', () => {
  expect(chooseFastest({ depth, costs: [flash, { ...flash, attention: 'plain' }] }, 600)).toBe('flash')
  const lossy = cost('plain-bf16', 30, 0.09)
  expect(chooseFastest({ depth, costs: [flash, lossy] }, 600)).toBe('flash')
  expect(chooseFastest({ depth, costs: [flash, { ...lossy, change: 0.06 }] }, 600)).toBe('plain-bf16')
})
