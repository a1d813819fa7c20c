/** Measures how much a text repeats itself and how much texts agree, and cuts the middle out of long texts. */

const NGRAM = 8
const MIN_WORDS = 64
const MAX_WORD_CHARS = 48

/**
 * Share (0 to 1) of a text's word 8-grams that occurred earlier in it; 0 for texts under 64 words.
 * A share below `floor` may be returned as `floor`, which is faster.
 */
export function repeatedShare(text: string, floor = 0): number {
  if (floor > 0 && boundRepeats(text) <= floor) return floor
  const words = wordsOf(text)
  if (words.length < MIN_WORDS) return 0
  const count = words.length - NGRAM + 1
  const grams = new Set<string>()
  for (let i = 0; i < count; i++) grams.add(words.slice(i, i + NGRAM).join(' '))
  return 1 - grams.size / count
}

/** Factor of the rolling hash over words, and that factor to the power of `NGRAM`, to remove the oldest word. */
const ROLL = 0x2c1b3c6d
const ROLLED_OUT = Array.from({ length: NGRAM }).reduce<number>((x) => Math.imul(x, ROLL), 1)

/**
 * An upper bound of the repeated share that makes no string per word: 8-grams are compared by 32-bit hashes,
 * and equal hashes count as a repeat.
 */
function boundRepeats(text: string): number {
  const count = hashWords(text)
  if (count < MIN_WORDS) return 0
  const mask = (1 << (33 - Math.clz32(count))) - 1
  if (seen.length <= mask) seen = new Int32Array(mask + 1)
  else seen.fill(0, 0, mask + 1)
  let [rolling, repeats] = [0, 0]
  for (let i = 0; i < count; i++) {
    rolling = (Math.imul(rolling, ROLL) + (words[i] as number)) | 0
    if (i >= NGRAM) rolling = (rolling - Math.imul(words[i - NGRAM] as number, ROLLED_OUT)) | 0
    if (i < NGRAM - 1) continue
    const hash = rolling || 1
    let slot = (hash ^ (hash >>> 15)) & mask
    while (seen[slot] !== 0 && seen[slot] !== hash) slot = (slot + 1) & mask
    if (seen[slot] === hash) repeats++
    else seen[slot] = hash
  }
  return repeats / (count - NGRAM + 1)
}

/** Kept from text to text: to make and free them took a quarter of the time. */
let [words, seen] = [new Int32Array(1 << 10), new Int32Array(1 << 12)]

/** Writes the hashes of the words that `wordsOf` returns into `words`; returns how many. */
function hashWords(text: string): number {
  if (words.length <= text.length / 2) words = new Int32Array(text.length)
  let count = 0
  for (let start = 0; start < text.length; ) {
    let end = start
    let hash = 7
    for (; end < text.length; end++) {
      const code = text.charCodeAt(end)
      if (code <= 0x20 ? code === 0x20 || (code >= 9 && code <= 13) : code >= 0xa0 && isWideSpace(code)) break
      hash = (Math.imul(hash, 31) + code) | 0
    }
    if (end - start > MAX_WORD_CHARS)
      for (const part of cutRun(text.slice(start, end))) words[count++] = hashWord(part)
    else if (end > start) words[count++] = mix(hash)
    start = end + 1
  }
  return count
}

const mix = (hash: number) => Math.imul(hash ^ (hash >>> 15), 0x85ebca6b)

function hashWord(word: string): number {
  let hash = 7
  for (let i = 0; i < word.length; i++) hash = (Math.imul(hash, 31) + word.charCodeAt(i)) | 0
  return mix(hash)
}

/** Same as `\s` in a regular expression, for code units from U+00A0. */
function isWideSpace(code: number): boolean {
  if (code < 0x1680) return code === 0xa0
  if (code <= 0x200a) return code >= 0x2000 || code === 0x1680
  if (code < 0x3000) return code === 0x2028 || code === 0x2029 || code === 0x202f || code === 0x205f
  return code === 0x3000 || code === 0xfeff
}

/** Splits at white space. Long words (scripts without spaces, line art) are cut into pieces of 8 characters. */
function wordsOf(text: string): string[] {
  const words: string[] = []
  for (const word of text.match(/\S+/g) ?? []) {
    if (word.length <= MAX_WORD_CHARS) words.push(word)
    else for (const part of cutRun(word)) words.push(part)
  }
  return words
}

function cutRun(run: string): string[] {
  return run.match(/.{1,8}/gsu) ?? []
}

/** How much texts agree, 0 to 1: the mean Dice coefficient of their word pairs; 1 for a single text. */
export function agreement(texts: string[]): number {
  if (texts.length < 2) return 1
  const sums = similaritySums(texts)
  return sums.reduce((a, b) => a + b, 0) / (texts.length * (texts.length - 1))
}

/** Index of the text that is most similar to all others; the first one on a tie. */
export function findCentral(texts: string[]): number {
  const sums = similaritySums(texts)
  return sums.indexOf(Math.max(...sums))
}

function similaritySums(texts: string[]): number[] {
  const pairs = texts.map(pairsOf)
  return pairs.map((a, i) => pairs.reduce((sum, b, j) => (i === j ? sum : sum + dice(a, b)), 0))
}

/** A text's set of word pairs; case is ignored. */
function pairsOf(text: string): Set<string> {
  const words = wordsOf(text.toLowerCase())
  return new Set(words.length < 2 ? words : words.slice(1).map((word, i) => `${words[i]} ${word}`))
}

/** Dice coefficient of two sets, 0 to 1. */
function dice(a: Set<string>, b: Set<string>): number {
  if (a.size + b.size === 0) return 1
  let shared = 0
  for (const item of a) if (b.has(item)) shared++
  return (2 * shared) / (a.size + b.size)
}

/** A text that was trimmed to fewer characters holds too little to learn from. */
export const LEAST_CHARS = 200

const GAP = '\n[…]\n'

/** Cuts the middle out of a text that is longer than `limit` characters; keeps as much of its start as of its end. */
export function trimMiddle(text: string, limit: number): string {
  if (text.length <= limit) return text
  const points = [...text]
  if (points.length <= limit) return text
  const head = Math.ceil(limit / 2)
  return points.slice(0, head).join('') + GAP + points.slice(points.length - (limit - head)).join('')
}

/**
 * Finds the largest limit below `longest` that fits, to within 2 % or 8 characters. Undefined if it finds none. The limit
 * is in characters per text and the same for all texts: long texts are cut first and short ones stay whole.
 */
export async function findTrim(
  longest: number,
  fits: (limit: number) => Promise<boolean>,
): Promise<number | undefined> {
  let [low, high] = [0, longest]
  while (high - low > Math.max(8, low / 50)) {
    const middle = Math.floor((low + high) / 2)
    if (await fits(middle)) low = middle
    else high = middle
  }
  return low === 0 ? undefined : low
}

/** The text without the characters of `ends` at its end. A pattern such as `[.!]+$` would take quadratic time. */
export function withoutEnd(text: string, ends: string): string {
  let end = text.length
  while (end > 0 && ends.includes(text[end - 1] as string)) end--
  return text.slice(0, end)
}
