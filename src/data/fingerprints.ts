/**
 * Finds benchmark prompts without their texts, by 64-bit hashes of their word 8-grams and of whole prompts.
 * A prompt is a hit if 13 words in a row come from a benchmark, or if it equals a benchmark's prompt word for word.
 * 13 words are 6 grams in a row. One gram is not enough, because common phrases of 8 words match by chance.
 */
import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** The hashes of one benchmark. */
export interface FingerprintSet {
  name: string
  prompts: number
  hashes: Set<bigint>
}

const GRAM_WORDS = 8
const MIN_RUN = 6

/** Splits a text into words of letters and digits, in lower case. */
export function normalizeWords(text: string): string[] {
  // Most prompts are plain: their characters have one form, and a pattern without Unicode's classes is three times as fast.
  if (ASCII.test(text)) return text.toLowerCase().match(/[a-z0-9]+/g) ?? []
  return (
    text
      .normalize('NFKC')
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? []
  )
}

const ASCII = /^[\0-\x7f]*$/

/** Returns the first 64 bits of a text's SHA-1. */
export function hash64(text: string): bigint {
  return hash('sha1', text, 'buffer').readBigUInt64LE()
}

const hashWhole = (words: string[]) => hash64(`whole ${words.join(' ')}`)

const hashGram = (words: string[], at: number) => hash64(words.slice(at, at + GRAM_WORDS).join(' '))

/** Hashes a benchmark's prompts. */
export function makeFingerprints(name: string, prompts: string[]): FingerprintSet {
  const hashes = new Set<bigint>()
  for (const prompt of prompts) {
    const words = normalizeWords(prompt)
    if (words.length > 0) hashes.add(hashWhole(words))
    for (let i = 0; i + GRAM_WORDS <= words.length; i++) hashes.add(hashGram(words, i))
  }
  return { name, prompts: prompts.length, hashes }
}

/** Returns the names of the benchmarks that contain a prompt. */
export function findHits(prompt: string, sets: FingerprintSet[]): string[] {
  if (sets.length === 0) return []
  const words = normalizeWords(prompt)
  const whole = hashWhole(words)
  const grams: bigint[] = []
  const gramAt = (i: number) => (grams[i] ??= hashGram(words, i))
  const count = words.length - GRAM_WORDS + 1
  return sets
    .filter(({ hashes }) => hashes.has(whole) || hasRun((i) => hashes.has(gramAt(i)), count))
    .map(({ name }) => name)
}

/** Says whether `MIN_RUN` places in a row match. Each such run covers a multiple of `MIN_RUN`, so those are tried first. */
function hasRun(has: (place: number) => boolean, count: number): boolean {
  for (let place = MIN_RUN - 1; place < count; place += MIN_RUN) {
    if (!has(place)) continue
    let run = 1
    for (let i = place - 1; i >= 0 && run < MIN_RUN && has(i); i--) run++
    for (let i = place + 1; i < count && run < MIN_RUN && has(i); i++) run++
    if (run === MIN_RUN) return true
  }
  return false
}

/** Writes a line of JSON (`[{name, prompts, hashes}]`, with counts), then each set's sorted hashes, 8 bytes little-endian. */
export function encodeFingerprints(sets: FingerprintSet[]): Buffer {
  const head = sets.map(({ name, prompts, hashes }) => ({ name, prompts, hashes: hashes.size }))
  const bodies = sets.map(({ hashes }) => {
    const bytes = Buffer.alloc(8 * hashes.size)
    const sorted = [...hashes].sort((a, b) => (a < b ? -1 : 1))
    for (const [i, value] of sorted.entries()) bytes.writeBigUInt64LE(value, 8 * i)
    return bytes
  })
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), ...bodies])
}

/** Reads what `encodeFingerprints` wrote. */
export function decodeFingerprints(bytes: Buffer): FingerprintSet[] {
  let offset = bytes.indexOf('\n') + 1
  const head: { name: string; prompts: number; hashes: number }[] = JSON.parse(
    bytes.toString('utf8', 0, offset),
  )
  return head.map(({ name, prompts, hashes: count }) => {
    const hashes = new Set<bigint>()
    for (let i = 0; i < count; i++, offset += 8) hashes.add(bytes.readBigUInt64LE(offset))
    return { name, prompts, hashes }
  })
}

/** Reads the sets that come with the program: AlpacaEval, MT-Bench, GSM8K's test split, IFEval (`make-fingerprints.ts`). */
export function readOwnFingerprints(): FingerprintSet[] {
  return decodeFingerprints(readFileSync(new URL('./fingerprints.bin', import.meta.url)))
}
