import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { seedOf } from './seeds.ts'

const place = fc.tuple(fc.nat(), fc.string(), fc.nat(9), fc.nat(9))

describe('the seed of a sample', () => {
  test('is a whole number from 0 to below 2^31', () =>
    fc.assert(
      fc.property(place, fc.nat(65_535), ([seed, id, layer, voice], index) => {
        const value = seedOf(seed, id, layer, voice, index)
        return Number.isInteger(value) && value >= 0 && value < 2 ** 31
      }),
    ))

  test('counts on from the first of its voice, as servers do that read one seed a request', () =>
    fc.assert(
      fc.property(place, fc.nat(65_535), ([seed, id, layer, voice], index) => {
        expect(seedOf(seed, id, layer, voice, index)).toBe(seedOf(seed, id, layer, voice, 0) + index)
      }),
    ))

  test('differs by plan seed, prompt, layer and voice', () => {
    const seeds = [
      [0, 'a', 0, 0],
      [1, 'a', 0, 0],
      [0, 'b', 0, 0],
      [0, 'a', 1, 0],
      [0, 'a', 0, 1],
    ] as const
    expect(new Set(seeds.map(([s, id, l, v]) => seedOf(s, id, l, v, 0))).size).toBe(5)
  })

  test('is the same in every version: journals hold it', () => {
    expect(seedOf(0, '0', 0, 0, 0)).toMatchInlineSnapshot(`10417472`)
    expect(seedOf(7, 'a prompt', 2, 1, 3)).toMatchInlineSnapshot(`1336741799`)
  })
})
