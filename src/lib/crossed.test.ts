import { describe, expect, test } from 'vitest'
import { bootstrapCrossed, meansOfItems, testCrossed } from './crossed.ts'
import { randomFrom } from './random.ts'
import { bootstrapMean, testPairs } from './statistics.ts'

describe('over seeds and items', () => {
  const random = () => randomFrom(11)
  const items = Array.from({ length: 40 }, (_, i) => Number(i % 4 === 0))

  test('one seed has the interval and the test of the items alone', () => {
    expect(bootstrapCrossed([items], { random: random() })).toEqual(
      bootstrapMean(items, { random: random() }),
    )
    const other = items.map((_, i) => Number(i % 2 === 0))
    expect(testCrossed([items], [other], { random: random() })).toEqual(
      testPairs(items, other, { random: random() }),
    )
  })

  test('seeds that differ widen it; seeds that repeat each other do not', () => {
    const wide = bootstrapCrossed([items, items.map(() => 0), items.map(() => 1)], { random: random() })
    const same = bootstrapCrossed([items, items, items], { random: random() })
    const width = (of: typeof wide) => (of?.high ?? 0) - (of?.low ?? 0)
    expect(width(wide)).toBeGreaterThan(2 * width(same))
    expect(width(same)).toBeGreaterThan(0.15)
  })

  test('answers to one item under several seeds are no separate items for the p value', () => {
    const up = items.map((value, i) => (i < 6 ? 1 : value))
    const once = testCrossed([items], [up], { random: random() })
    const thrice = testCrossed([items, items, items], [up, up, up], { random: random() })
    expect([thrice.p, thrice.unequal]).toEqual([once.p, once.unequal])
  })

  test('an answer that is missing under one seed is left out', () => {
    expect(
      meansOfItems([
        [1, undefined, undefined],
        [0, 1, undefined],
      ]),
    ).toEqual([0.5, 1])
    expect(bootstrapCrossed([[undefined], [undefined]], { random: random() })).toBeUndefined()
  })
})
