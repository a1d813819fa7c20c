import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hashParts } from '../lib/random.ts'
import { normalizeWords } from './fingerprints.ts'
import { SIGNATURE_WORDS, signText } from './near-duplicates.ts'

/** Short words, so that texts share them; some are not ASCII. */
const text = fc
  .array(fc.constantFrom('a', 'The', 'x2', "don't", '', '10', 'naïve', 'Ⅳ', 'ﬁve', '東京', '\n', 'B.C.'), {
    maxLength: 30,
  })
  .map((words) => words.join(' '))

test('plain text has the words that the rule for all scripts finds', () =>
  fc.assert(
    fc.property(fc.oneof(text, fc.string({ unit: 'binary-ascii', maxLength: 60 })), (text) => {
      const words = text
        .normalize('NFKC')
        .toLowerCase()
        .match(/[\p{L}\p{N}]+/gu)
      expect(normalizeWords(text)).toEqual(words ?? [])
    }),
  ))

test('a signature has the least of 64 hashes over all runs of three words', () =>
  fc.assert(
    fc.property(text, (text) => {
      const words = normalizeWords(text)
      const starts = Array.from({ length: Math.max(1, words.length - 2) }, (_, i) => i)
      const runs = starts.map((i) => hashParts(words.slice(i, i + 3).join(' ')))
      const hashOf = (run: number, k: number) => {
        const x = Math.imul(run ^ hashParts('minhash offset', k), hashParts('minhash factor', k) | 1)
        return (x ^ (x >>> 15)) >>> 0
      }
      const least = Array.from({ length: SIGNATURE_WORDS }, (_, k) =>
        Math.min(...runs.map((run) => hashOf(run, k))),
      )
      expect([...signText(text)]).toEqual(least)
    }),
    { numRuns: 50 },
  ))
