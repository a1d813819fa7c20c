/**
 * Finds prompts of benchmarks without having their texts: 64-bit hashes of their word 8-grams and of whole prompts.
 * A prompt is a hit if 13 words in a row are a benchmark's (6 grams, as chance phrases of 8 words are common), or
 * if it is a benchmark's prompt word for word.
 */
import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** Hashes of one benchmark. */
export interface FingerprintSet {
  name: string
  prompts: number
  hashes: Set<bigint>
}

const GRAM_WORDS = 8
const MIN_RUN = 6

/** Letters and digits only, in lower case. */
export function normaliseWords(text: string): string[] {
  return (
    text
      .normalize('NFKC')
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? []
  )
}

/** The first 64 bits of a text's SHA-1. */
export function hash64(text: string): bigint {
  return hash('sha1', text, 'buffer').readBigUInt64LE()
}

const hashWhole = (words: string[]) => hash64(`whole ${words.join(' ')}`)

const hashGram = (words: string[], at: number) => hash64(words.slice(at, at + GRAM_WORDS).join(' '))

/** Fingerprints of a benchmark's prompts. */
export function makeFingerprints(name: string, prompts: string[]): FingerprintSet {
  const hashes = new Set<bigint>()
  for (const prompt of prompts) {
    const words = normaliseWords(prompt)
    if (words.length > 0) hashes.add(hashWhole(words))
    for (let i = 0; i + GRAM_WORDS <= words.length; i++) hashes.add(hashGram(words, i))
  }
  return { name, prompts: prompts.length, hashes }
}

/** Names of the benchmarks that a prompt is of. */
export function findHits(prompt: string, sets: FingerprintSet[]): string[] {
  if (sets.length === 0) return []
  const words = normaliseWords(prompt)
  const whole = hashWhole(words)
  const grams: bigint[] = []
  const gramAt = (i: number) => (grams[i] ??= hashGram(words, i))
  const count = words.length - GRAM_WORDS + 1
  return sets
    .filter(({ hashes }) => hashes.has(whole) || hasRun((i) => hashes.has(gramAt(i)), count))
    .map(({ name }) => name)
}

/** Whether `MIN_RUN` places in a row have it. Each such run holds one of every `MIN_RUN`th place: only those are asked first. */
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

/** A line of JSON (`[{name, prompts, hashes}]`, counts), then each set's hashes: sorted, 8 bytes, little-endian. */
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

/** Undoes `encodeFingerprints`. */
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

/** AlpacaEval, MT-Bench, the test split of GSM8K, and IFEval; `make-fingerprints.ts` made the file. */
export function readOwnFingerprints(): FingerprintSet[] {
  return decodeFingerprints(readFileSync(new URL('./fingerprints.bin', import.meta.url)))
}
