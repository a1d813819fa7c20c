/** Finds prompts that nearly equal an earlier one, by MinHash over word 3-grams with lookup by bands. */
import { hashParts } from '../lib/random.ts'
import { normalizeWords } from './fingerprints.ts'

const BANDS = 16
const ROWS = 4
const SHINGLE_WORDS = 3
const THRESHOLD = 0.8

const factors = Uint32Array.from({ length: BANDS * ROWS }, (_, i) => hashParts('minhash factor', i) | 1)
const offsets = Uint32Array.from({ length: BANDS * ROWS }, (_, i) => hashParts('minhash offset', i))

/** Signs a text with 64 MinHash values of its word 3-grams. Two signatures estimate how much two texts overlap (Jaccard). */
export function signText(text: string): Uint32Array {
  const words = normalizeWords(text)
  const signature = new Uint32Array(BANDS * ROWS).fill(0xffffffff)
  for (let i = 0; i === 0 || i + SHINGLE_WORDS <= words.length; i++) {
    const shingle = hashParts(words.slice(i, i + SHINGLE_WORDS).join(' '))
    for (let k = 0; k < signature.length; k++) {
      const x = Math.imul(shingle ^ (offsets[k] as number), factors[k] as number)
      const value = (x ^ (x >>> 15)) >>> 0
      if (value < (signature[k] as number)) signature[k] = value
    }
  }
  return signature
}

/** Returns the equal share (0 to 1) of two signatures. */
export function compareSignatures(a: Uint32Array, b: Uint32Array): number {
  let equal = 0
  for (let i = 0; i < a.length; i++) if (a[i] === b[i]) equal++
  return equal / a.length
}

/**
 * Makes an index of texts by signature. `add` returns the name of an earlier text with an overlap of at least 0.8. If
 * there is none, it remembers the new text and returns undefined.
 */
export function createDuplicateIndex() {
  const signatures: Uint32Array[] = []
  const names: string[] = []
  /** A bucket with one text is a plain number. Most are, and an array each would take most of the memory. */
  const buckets = new Map<number, number | number[]>()
  return {
    add(name: string, signature: Uint32Array): string | undefined {
      const keys = Array.from({ length: BANDS }, (_, band) => bandKey(signature, band))
      for (const key of keys) {
        for (const i of [buckets.get(key) ?? []].flat()) {
          if (compareSignatures(signature, signatures[i] as Uint32Array) >= THRESHOLD) return names[i]
        }
      }
      names.push(name)
      signatures.push(signature)
      for (const key of keys) {
        const bucket = buckets.get(key)
        const last = names.length - 1
        buckets.set(key, bucket === undefined ? last : [bucket, last].flat())
      }
      return undefined
    },
  }
}

/** Returns 31 bits: a map stores small integers in less memory. */
function bandKey(signature: Uint32Array, band: number): number {
  return hashParts(band, signature.subarray(band * ROWS, (band + 1) * ROWS).join(' ')) >>> 1
}
