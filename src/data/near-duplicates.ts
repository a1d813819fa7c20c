/** Finds prompts that nearly equal an earlier one, by MinHash over word 3-grams with lookup by bands. */
import type { Pager } from '../lib/paged-words.ts'
import { addToHash, endHash, HASH_START, hashParts } from '../lib/random.ts'
import { createWordTable } from '../lib/word-table.ts'
import { normalizeWords } from './fingerprints.ts'

const BANDS = 16
const ROWS = 4
/** Words of a signature. */
export const SIGNATURE_WORDS = BANDS * ROWS
const SHINGLE_WORDS = 3
const THRESHOLD = 0.8

const factors = Uint32Array.from({ length: SIGNATURE_WORDS }, (_, i) => hashParts('minhash factor', i) | 1)
const offsets = Uint32Array.from({ length: SIGNATURE_WORDS }, (_, i) => hashParts('minhash offset', i))

/** Signs a text with 64 MinHash values of its word 3-grams. Two signatures estimate how much two texts overlap (Jaccard). */
export function signText(text: string): Uint32Array {
  const words = normalizeWords(text)
  const signature = new Uint32Array(SIGNATURE_WORDS).fill(0xffffffff)
  for (let i = 0; i === 0 || i + SHINGLE_WORDS <= words.length; i++) {
    const shingle = hashWords(words, i)
    for (let k = 0; k < signature.length; k++) {
      const x = Math.imul(shingle ^ (offsets[k] as number), factors[k] as number)
      const value = (x ^ (x >>> 15)) >>> 0
      if (value < (signature[k] as number)) signature[k] = value
    }
  }
  return signature
}

/** `hashParts` of `SHINGLE_WORDS` words from `from`, joined by spaces, without making that text. */
function hashWords(words: string[], from: number): number {
  const to = Math.min(words.length, from + SHINGLE_WORDS)
  let hash = HASH_START
  for (let i = from; i < to; i++) {
    if (i > from) hash = addToHash(hash, 32)
    const word = words[i] as string
    for (let k = 0; k < word.length; k++) hash = addToHash(hash, word.charCodeAt(k))
  }
  return endHash(addToHash(hash, 0))
}

/** Returns the equal share (0 to 1) of two signatures. */
export function compareSignatures(a: Uint32Array, b: Uint32Array): number {
  let equal = 0
  for (let i = 0; i < a.length; i++) if (a[i] === b[i]) equal++
  return equal / a.length
}

/** Finds earlier texts by their signatures, which it reads with `signatureOf`. */
export interface DuplicateIndex {
  /** Returns the number of an earlier text with an overlap of at least 0.8; the first that is found. */
  find(signature: Uint32Array): number | undefined
  add(text: number, signature: Uint32Array): void
}

/**
 * Most texts that one band of words may lead to. Prompts that share a long wording would all be compared with each other:
 * the time per row would grow with the rows.
 */
const MOST_PER_BAND = 32

/** Makes an index in the memory of a pager. `signatureOf` returns the signature of a text by its number. */
export function createDuplicateIndex(
  pager: Pager,
  signatureOf: (text: number) => Uint32Array,
): DuplicateIndex {
  const table = createWordTable(pager, 2)
  return {
    find(signature) {
      const compared = new Set<number>()
      for (let band = 0; band < BANDS; band++) {
        const key = bandKey(signature, band)
        const found = table.find(key, (slot) => {
          const text = table.get(slot, 1) - 1
          if (compared.has(text)) return false
          compared.add(text)
          return compareSignatures(signature, signatureOf(text)) >= THRESHOLD
        })
        if (found !== undefined) return table.get(found, 1) - 1
      }
      return undefined
    },
    add(text, signature) {
      for (let band = 0; band < BANDS; band++) {
        const key = bandKey(signature, band)
        let count = 0
        table.find(key, () => ++count === MOST_PER_BAND)
        if (count < MOST_PER_BAND) table.add(key, [text + 1])
      }
    },
  }
}

function bandKey(signature: Uint32Array, band: number): number {
  let hash = Math.imul(band + 1, 0x9e3779b1)
  for (let i = band * ROWS; i < (band + 1) * ROWS; i++) {
    hash = Math.imul(hash ^ (signature[i] as number), 0x85ebca6b)
    hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35)
  }
  return (hash ^ (hash >>> 16)) >>> 0
}
