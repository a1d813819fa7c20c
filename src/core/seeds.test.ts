import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hashParts, randomFrom, seedOf, shuffle } from './seeds.ts'

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
    const random = randomFrom(1)
    expect([random(), random()]).toMatchInlineSnapshot(`
      [
        0.6270739405881613,
        0.002735721180215478,
      ]
    `)
  })
})

test('parts are kept apart: ab + c is not a + bc', () => {
  expect(hashParts('ab', 'c')).not.toBe(hashParts('a', 'bc'))
})

test('a shuffle is a permutation, the same for the same seed, and every order comes about equally often', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), fc.nat(), (items, seed) => {
      const shuffled = shuffle(items, randomFrom(seed))
      expect(shuffled).toEqual(shuffle(items, randomFrom(seed)))
      expect([...shuffled].sort()).toEqual([...items].sort())
    }),
  )
  const counts = new Map<string, number>()
  for (let seed = 0; seed < 6000; seed++) {
    const order = shuffle(['a', 'b', 'c'], randomFrom(hashParts(seed))).join('')
    counts.set(order, (counts.get(order) ?? 0) + 1)
  }
  expect(counts.size).toBe(6)
  for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(150)
})
