import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hashParts, randomFrom, shuffle } from './random.ts'

test('the numbers of a seed are the same in every version', () => {
  const random = randomFrom(1)
  expect([random(), random()]).toMatchInlineSnapshot(`
      [
        0.6270739405881613,
        0.002735721180215478,
      ]
    `)
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
