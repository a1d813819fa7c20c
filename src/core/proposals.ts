/** What is done with proposals between the layers: what is unusable, how they agree, how they are trimmed. */

const NGRAM = 8
const MIN_WORDS = 64
const MAX_REPEATED_SHARE = 0.3

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
  const words = wordsOf(text)
  if (words.length < MIN_WORDS) return 0
  const count = words.length - NGRAM + 1
  let grams = numberEach(words)
  for (let span = 1; span < NGRAM; span *= 2) {
    const { joined, distinct } = joinPairs(grams, span)
    // what repeats as a long gram also repeats as the shorter one that it begins with
    if (joined.length - distinct <= floor * count) return floor
    grams = joined
  }
  return 1 - new Set(grams).size / count
}

/** A number for each word, the same for the same. */
function numberEach(words: string[]): number[] {
  const numbers = new Map<string, number>()
  return words.map((word) => getNumber(numbers, word))
}

/** A number for each place and the one `span` behind it, the same for the same: n-grams of twice the length. */
function joinPairs(grams: number[], span: number): { joined: number[]; distinct: number } {
  const numbers = new Map<number, number>()
  const joined: number[] = []
  for (let i = 0; i + span < grams.length; i++) {
    joined.push(getNumber(numbers, (grams[i] as number) * grams.length + (grams[i + span] as number)))
  }
  return { joined, distinct: numbers.size }
}

function getNumber<Key>(numbers: Map<Key, number>, key: Key): number {
  const known = numbers.get(key)
  if (known !== undefined) return known
  numbers.set(key, numbers.size)
  return numbers.size - 1
}

/** Words are runs without white space; long runs (scripts without spaces, line art) are cut into pieces of 8. */
function wordsOf(text: string): string[] {
  const words: string[] = []
  for (const word of text.match(/\S+/g) ?? []) {
    if (word.length <= 48) words.push(word)
    else words.push(...(word.match(/.{1,8}/gsu) ?? []))
  }
  return words
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
