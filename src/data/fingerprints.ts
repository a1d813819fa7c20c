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
  /** Sorted, each as its lower and its upper 32 bits. */
  hashes: Uint32Array
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

const wholeText = (words: string[]) => `whole ${words.join(' ')}`

const gramText = (words: string[], at: number) => words.slice(at, at + GRAM_WORDS).join(' ')

/** Hashes a benchmark's prompts. */
export function makeFingerprints(name: string, prompts: string[]): FingerprintSet {
  const hashes = new Set<bigint>()
  for (const prompt of prompts) {
    const words = normalizeWords(prompt)
    if (words.length > 0) hashes.add(hash64(wholeText(words)))
    for (let i = 0; i + GRAM_WORDS <= words.length; i++) hashes.add(hash64(gramText(words, i)))
  }
  return { name, prompts: prompts.length, hashes: new Uint32Array(BigUint64Array.from(hashes).sort().buffer) }
}

/** Returns the names of the benchmarks that contain a prompt. */
export function findHits(prompt: string, sets: FingerprintSet[]): string[] {
  if (sets.length === 0) return []
  const words = normalizeWords(prompt)
  const whole = hashHalves(wholeText(words))
  const grams: Halves[] = []
  const gramAt = (i: number) => (grams[i] ??= hashHalves(gramText(words, i)))
  const count = words.length - GRAM_WORDS + 1
  return sets
    .filter(({ hashes }) => hasHash(hashes, whole) || hasRun((i) => hasHash(hashes, gramAt(i)), count))
    .map(({ name }) => name)
}

type Halves = [low: number, high: number]

function hashHalves(text: string): Halves {
  const digest = hash('sha1', text, 'buffer')
  return [digest.readUInt32LE(0), digest.readUInt32LE(4)]
}

/** Says whether a hash is among sorted ones. These are spread evenly, so its place is near where its size puts it. */
function hasHash(hashes: Uint32Array, [low, high]: Halves): boolean {
  let at = 2 * Math.floor((high / 2 ** 32) * (hashes.length / 2))
  while (at > 0 && (hashes[at + 1] as number) >= high) at -= 2
  for (; at < hashes.length && (hashes[at + 1] as number) <= high; at += 2)
    if (hashes[at] === low && hashes[at + 1] === high) return true
  return false
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
  const head = sets.map(({ name, prompts, hashes }) => ({ name, prompts, hashes: hashes.length / 2 }))
  const bodies = sets.map(({ hashes }) => Buffer.from(hashes.buffer, hashes.byteOffset, hashes.byteLength))
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), ...bodies])
}

/** Reads what `encodeFingerprints` wrote. */
export function decodeFingerprints(bytes: Buffer): FingerprintSet[] {
  let offset = bytes.indexOf('\n') + 1
  const head: { name: string; prompts: number; hashes: number }[] = JSON.parse(
    bytes.toString('utf8', 0, offset),
  )
  return head.map(({ name, prompts, hashes: count }) => {
    const hashes = new Uint32Array(2 * count)
    Buffer.from(hashes.buffer).set(bytes.subarray(offset, offset + 8 * count))
    offset += 8 * count
    return { name, prompts, hashes }
  })
}

/** Reads the sets that come with the program: AlpacaEval, MT-Bench, GSM8K's test split, IFEval (`make-fingerprints.ts`). */
export function readOwnFingerprints(): FingerprintSet[] {
  return decodeFingerprints(readFileSync(new URL('./fingerprints.bin', import.meta.url)))
}
