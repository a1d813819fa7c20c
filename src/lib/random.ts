/** Seeded randomness: the same seed gives the same numbers on every machine. */

/** A 32-bit hash of the parts (FNV-1a over UTF-16 units, then Murmur3's finalizer). Each part ends with a unit 0. */
export function hashParts(...parts: (string | number)[]): number {
  let hash = HASH_START
  for (const part of parts) {
    const text = `${part}\u0000`
    for (let i = 0; i < text.length; i++) hash = addToHash(hash, text.charCodeAt(i))
  }
  return endHash(hash)
}

/** The hash before the first unit. */
export const HASH_START = 0x811c9dc5

/** Adds a UTF-16 unit. */
export function addToHash(hash: number, unit: number): number {
  return Math.imul(hash ^ unit, 0x01000193)
}

/** The hash after the last unit. */
export function endHash(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** A generator of numbers from 0 to below 1 (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Returns a copy in random order (Fisher-Yates). */
export function shuffle<T>(items: readonly T[], random: () => number): T[] {
  const copy = [...items]
  for (let i = copy.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    ;[copy[i], copy[j]] = [copy[j] as T, copy[i] as T]
  }
  return copy
}
