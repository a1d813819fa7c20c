import { describe, expect, test } from 'vitest'
import { simulate } from './level.fixture.ts'

describe('a level finds its own way', () => {
  test.each([6, 20, 70])(
    'at a server of %i places within 5 percent of the best fixed one',
    async (places) => {
      // As many as keep the server busy for 100 texts' time.
      const texts = places * 100
      const lengthOf = (i: number) => 30 + ((i * 7919) % 40)
      const fixed = await Promise.all(
        [8, 16, 32, 64, 128].map((level) => simulate({ places, texts, fixed: level, lengthOf })),
      )
      const best = Math.min(...fixed.map(({ ms }) => ms))
      const own = await simulate({ places, texts, lengthOf })
      expect(own.ms / best).toBeLessThan(1.05)
      // It does not ask for much more than the server takes.
      expect(own.capacity).toBeLessThan(Math.max(16, 2.6 * places))
    },
  )

  test('goes down when the server refuses, and stays near its limit', async () => {
    const { refusals, capacity, ms } = await simulate({ places: 1_000, texts: 4_000, refuseAbove: 40 })
    expect(capacity).toBeLessThanOrEqual(50)
    expect(capacity).toBeGreaterThan(15)
    expect(refusals).toBeLessThan(500)
    expect(ms).toBeLessThan(1.25 * (4_000 / 40) * 200)
  })

  test('does not move while there is nothing to learn: few requests leave slots free', async () => {
    expect((await simulate({ places: 100, texts: 6 })).capacity).toBe(8)
  })
})
