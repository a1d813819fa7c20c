/** A hash table of slots of whole words, in the bounded memory of a pager. Equal keys may have several slots, in order. */
import type { PagedWords, Pager } from './paged-words.ts'

/** Slots by 32-bit keys. A slot has the key, and words that the caller gives it; the last of them is never 0. */
export interface WordTable {
  /**
   * Calls `visit` for each slot with this key, in the order in which they came. The search ends if it returns true.
   * @returns the slot at which it ended
   */
  find(key: number, visit: (slot: number) => boolean): number | undefined
  get(slot: number, word: number): number
  set(slot: number, word: number, value: number): void
  add(key: number, values: number[]): void
}

const FIRST_BITS = 10
const MOST_BITS = 30
const MOST_FULL = 0.7

/** Slots for this many bits, and some more: a search never wraps around, so the order of equal keys stays when it grows. */
const countSlots = (bits: number) => 2 ** bits + 2 ** (bits - 3) + 64

/** Makes a table whose slots have `words` words, a power of 2, the key among them. */
export function createWordTable(pager: Pager, words: number): WordTable {
  const last = words - 1
  let bits = FIRST_BITS
  let used = 0
  let count = countSlots(bits)
  let slots: PagedWords = pager.create(count * words)
  const isFree = (slot: number) => slots.get(slot * words + last) === 0
  /** Keys are in the order of their upper bits, so growing reads and writes in order. */
  const homeOf = (key: number) => key >>> (32 - bits)

  /** Adds a slot; returns false if there is no room for it. */
  function put(key: number, wordOf: (word: number) => number): boolean {
    let slot = homeOf(key)
    while (slot < count && !isFree(slot)) slot++
    if (slot >= count) return false
    slots.set(slot * words, key)
    for (let word = 1; word < words; word++) slots.set(slot * words + word, wordOf(word))
    used++
    return true
  }

  function grow(): void {
    if (bits === MOST_BITS) throw new Error('a table of rows is full: build fewer rows at a time')
    const [old, oldCount] = [slots, count]
    count = countSlots(++bits)
    slots = pager.create(count * words)
    used = 0
    for (let slot = 0; slot < oldCount; slot++) {
      if (old.get(slot * words + last) === 0) continue
      if (!put(old.get(slot * words), (word) => old.get(slot * words + word)))
        throw new Error('too many rows have one key')
    }
    old.free()
  }

  return {
    find(key, visit) {
      for (let slot = homeOf(key); slot < count && !isFree(slot); slot++)
        if (slots.get(slot * words) === key && visit(slot)) return slot
      return undefined
    },
    get: (slot, word) => slots.get(slot * words + word),
    set: (slot, word, value) => slots.set(slot * words + word, value),
    add(key, values) {
      if (used > MOST_FULL * 2 ** bits) grow()
      while (!put(key, (word) => values[word - 1] as number)) grow()
    },
  }
}
