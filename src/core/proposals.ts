/** What is done with proposals between the layers: what is unusable, how they agree, how they are trimmed. */

const NGRAM = 8
const MIN_WORDS = 64
const MAX_REPEATED_SHARE = 0.3
const MAX_WORD_CHARS = 48

/** Why a text should not be shown to an aggregator, or undefined: `empty`, or `runaway` (repeats itself). */
export function findUnusable(text: string): 'empty' | 'runaway' | undefined {
  if (text.trim() === '') return 'empty'
  return repeatedShare(text, MAX_REPEATED_SHARE) > MAX_REPEATED_SHARE ? 'runaway' : undefined
}

/**
 * Share (0 to 1) of a text's 8-grams of words that occurred before in it; 0 for texts under 64 words.
 * Shares up to `floor` may come as `floor`: that is faster.
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

let [wordHashes, seenHashes] = [new Int32Array(1 << 10), new Int32Array(1 << 11)]

/**
 * The share that repeats or more, without making a string for each word: 8-grams are told apart by 32-bit hashes,
 * and two that share one count as a repeat.
 */
function boundRepeats(text: string): number {
  const words = hashWords(text)
  if (words < MIN_WORDS) return 0
  const mask = (1 << (33 - Math.clz32(words))) - 1
  if (seenHashes.length <= mask) seenHashes = new Int32Array(mask + 1)
  seenHashes.fill(0, 0, mask + 1)
  let [rolling, repeats] = [0, 0]
  for (let i = 0; i < words; i++) {
    rolling = (Math.imul(rolling, ROLL) + (wordHashes[i] as number)) | 0
    if (i >= NGRAM) rolling = (rolling - Math.imul(wordHashes[i - NGRAM] as number, ROLLED_OUT)) | 0
    if (i < NGRAM - 1) continue
    const hash = rolling || 1
    let slot = (hash ^ (hash >>> 15)) & mask
    while (seenHashes[slot] !== 0 && seenHashes[slot] !== hash) slot = (slot + 1) & mask
    if (seenHashes[slot] === hash) repeats++
    else seenHashes[slot] = hash
  }
  return repeats / (words - NGRAM + 1)
}

/** Factor of the rolling hash over words, and what a word has become in it `NGRAM` words later. */
const ROLL = 0x2c1b3c6d
const ROLLED_OUT = Array.from({ length: NGRAM }).reduce<number>((x) => Math.imul(x, ROLL), 1)

/** Fills `wordHashes` with the words that `wordsOf` gives, and returns how many. */
function hashWords(text: string): number {
  if (wordHashes.length <= text.length / 2 + 1) wordHashes = new Int32Array(text.length)
  let count = 0
  for (let start = 0; start < text.length; ) {
    let end = start
    let hash = 7
    for (; end < text.length; end++) {
      const code = text.charCodeAt(end)
      if (code <= 0x20 ? code === 0x20 || (code >= 9 && code <= 13) : code >= 0xa0 && isWideSpace(code)) break
      hash = (Math.imul(hash, 31) + code) | 0
    }
    if (end - start > MAX_WORD_CHARS) {
      for (const piece of cutRun(text.slice(start, end))) wordHashes[count++] = hashWord(piece)
    } else if (end > start) wordHashes[count++] = mix(hash)
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

/** As `\s` in a regular expression, from U+00A0 on. */
function isWideSpace(code: number): boolean {
  if (code < 0x1680) return code === 0xa0
  if (code <= 0x200a) return code >= 0x2000 || code === 0x1680
  if (code < 0x3000) return code === 0x2028 || code === 0x2029 || code === 0x202f || code === 0x205f
  return code === 0x3000 || code === 0xfeff
}

/** Words are runs without white space; long runs (scripts without spaces, line art) are cut into pieces of 8. */
function wordsOf(text: string): string[] {
  const words: string[] = []
  for (const word of text.match(/\S+/g) ?? []) {
    if (word.length <= MAX_WORD_CHARS) words.push(word)
    else words.push(...cutRun(word))
  }
  return words
}

function cutRun(run: string): string[] {
  return run.match(/.{1,8}/gsu) ?? []
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

/** How much texts agree, 0 to 1: the mean Dice coefficient of their word pairs; 1 for a single text. */
export function agreement(texts: string[]): number {
  if (texts.length < 2) return 1
  const sums = similaritySums(texts)
  return sums.reduce((a, b) => a + b, 0) / (texts.length * (texts.length - 1))
}

/** Index of the text most similar to all others: the best guess where nothing else can choose. First of equals. */
export function findCentral(texts: string[]): number {
  const sums = similaritySums(texts)
  return sums.indexOf(Math.max(...sums))
}

function similaritySums(texts: string[]): number[] {
  const pairs = texts.map(pairsOf)
  return pairs.map((a, i) => pairs.reduce((sum, b, j) => (i === j ? sum : sum + dice(a, b)), 0))
}

/** Fewer characters of a proposal say too little to learn from. */
export const LEAST_CHARS = 200

const GAP = '\n[…]\n'

/** Cuts a text to about `limit` characters, keeping head and tail evenly; shorter texts stay as they are. */
export function trimMiddle(text: string, limit: number): string {
  if (text.length <= limit) return text
  const points = [...text]
  if (points.length <= limit) return text
  const head = Math.ceil(limit / 2)
  return points.slice(0, head).join('') + GAP + points.slice(points.length - (limit - head)).join('')
}

/**
 * The largest limit from 1 to `longest` (characters a text, the same for all texts) that fits, within 2 %, or
 * undefined when none does. One limit for all: long texts give first, short ones stay whole.
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

/**
 * The final answer that a text states, in a form that can be compared: what follows the last `####`, the last
 * `\boxed{…}`, the last "answer is …" or "Answer: …", else the last number, else the text itself, normalised.
 */
export function extractAnswer(text: string): string {
  const marked =
    lastMatch(text, /####\s*([^\n]+)/g) ??
    lastBoxed(text) ??
    lastMatch(text, /answer(?:\s+is|:)\s*([^\n]+)/gi)
  return normaliseAnswer(marked ?? lastMatch(text, /(-?\$?\d[\d,]*(?:\.\d+)?)/g) ?? text)
}

/** How many numbers a text writes: `6 * 7 = 42` has three. */
export function countNumbers(text: string): number {
  return text.match(/\d[\d,]*\.?\d*/g)?.length ?? 0
}

function lastMatch(text: string, pattern: RegExp): string | undefined {
  return [...text.matchAll(pattern)].at(-1)?.[1]
}

function lastBoxed(text: string): string | undefined {
  const start = text.lastIndexOf('\\boxed{')
  if (start === -1) return undefined
  let depth = 1
  for (let i = start + 7; i < text.length; i++) {
    if (text[i] === '{') depth++
    if (text[i] === '}' && --depth === 0) return text.slice(start + 7, i)
  }
  return undefined
}

function normaliseAnswer(answer: string): string {
  const plain = answer
    .replace(/[*_`$\\]/g, '')
    .trim()
    .replace(/[.!]+$/, '')
    .trim()
  const number = plain.match(/^(-?\d[\d,]*(?:\.\d+)?)\s*%?(?:\s|$)/)?.[1]
  if (number !== undefined) return String(Number(number.replaceAll(',', '')))
  return plain.toLowerCase().replace(/\s+/g, ' ')
}
