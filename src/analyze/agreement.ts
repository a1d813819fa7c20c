/** Finds where several proposals agree and disagree, and what the answer took of them. It reads words: no model is asked. */
import { extractAnswer } from '../lib/answer-text.ts'
import { attribute } from './attribution.ts'
import { findVariants, type Sentence, type Token } from './variants.ts'
import { splitSentences, unspaced } from './words.ts'

/** A value, and the texts that have it. */
export interface Variant {
  text: string
  /** Places of the proposals, from 0. */
  proposals: number[]
  /** True if the answer has it. */
  isInAnswer: boolean
}

/** A statement that one or more proposals make. */
export interface Point {
  /** The sentence, as the first of them has it. */
  text: string
  /** Places of the proposals that say it, from 0. */
  proposals: number[]
  /** True if the answer says it too. */
  isInAnswer: boolean
  /** Numbers or names in which those who say it differ, for each place in the sentence. */
  differences: Variant[][]
}

/** What the proposals say in common, and what they do not. */
export interface Agreement {
  /** The final answers, the most frequent first. Empty if the proposals end with no short answer. */
  finals: Variant[]
  /** Those with differences first, then by how many say it. */
  points: Point[]
}

/** Sentences per text that are compared, and tokens per sentence. */
const MOST_SENTENCES = 400
const MOST_TOKENS = 80
/** The least share of common words, weighted by how rare they are, that makes one point of two sentences. */
const LEAST_ALIKE = 0.6
/** Or the least share of the shorter one, if the longer one says more. */
const LEAST_PART = 0.95
/** From here on, two sentences of one text are the same. */
const SAME = 0.95
/** Sentences with fewer words say too little to be a point. */
const LEAST_WORDS = 3

const token = new RegExp(
  `(?<number>[\\-−]?\\p{N}+(?:[.,:\\/]\\p{N}+)*%?)|[${unspaced}]|[[\\p{L}\\p{M}\\p{N}]--[${unspaced}]]+(?:['’]\\p{L}+)*`,
  'gv',
)
const numberWord =
  /^(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twice|half|hundred|thousand|million|billion)$/

/**
 * Compares proposals, and the answer if there is one. The time is about linear in the number of sentences.
 * @param proposals texts in Markdown
 * @example
 * findAgreement(['It is 8 km high.', 'It is 9 km high.']).points[0].differences // 8: [0], 9: [1]
 */
export function findAgreement(proposals: string[], answer?: string): Agreement {
  const texts = answer === undefined ? proposals : [...proposals, answer]
  const sentences = texts.flatMap((text, from) => readSentences(text, from))
  const points = group(sentences).flatMap((members) => toPoint(members, proposals.length))
  const rank = (point: Point) => (point.differences.length > 0 ? 1_000 : 0) + point.proposals.length
  return { finals: findFinals(proposals, answer), points: points.sort((a, b) => rank(b) - rank(a)) }
}

function readSentences(text: string, from: number): Sentence[] {
  const prose = text.replace(/^ {0,3}(`{3,}|~{3,})[\s\S]*?(?:^ {0,3}\1.*$|$(?![\s\S]))/gm, '')
  const bare = prose.replace(/!?\[([^\][\n]{0,200})\]\([^()\n]{0,500}\)/g, '$1')
  return splitSentences(bare)
    .slice(0, MOST_SENTENCES)
    .flatMap(({ start, end }) => {
      const own = bare.slice(start, end)
      const tokens = readTokens(own)
      const words = new Set(tokens.filter((t) => !t.isNumber).map((t) => t.key))
      return words.size < LEAST_WORDS ? [] : [{ text: clean(own), from, tokens, words }]
    })
}

function readTokens(sentence: string): Token[] {
  return [...sentence.matchAll(token)].slice(0, MOST_TOKENS).map(({ 0: text, groups }, at) => {
    const key = text.toLowerCase().replace('−', '-')
    const isNumber = groups?.number !== undefined || numberWord.test(key)
    return { text, key, isNumber, isName: at > 0 && /^\p{Lu}/u.test(text) }
  })
}

/** Removes marks of Markdown that stand at the edges of a sentence or come in pairs that a sentence may break. */
const clean = (text: string) =>
  text
    .replace(/^[\s>#|*+-]+/, '')
    .replace(/\*\*|__|[\s|]+$/g, '')
    .trim()

interface Group {
  members: Sentence[]
  /** Of the words of its first member. */
  weight: number
}

/** Finds the group that a sentence is most like, if it is alike enough. */
function mostAlike(groups: Group[], shared: Map<number, number>, sentence: { from: number; weight: number }) {
  let [best, most] = [undefined as number | undefined, 0]
  for (const [at, both] of shared) {
    const { members, weight } = groups[at] as Group
    const share = (2 * both) / (sentence.weight + weight)
    const isPart = both >= LEAST_PART * Math.min(sentence.weight, weight)
    // A text says a thing once: its next sentence of the same form is about something else.
    const isNext = share < SAME && members.some((m) => m.from === sentence.from)
    if (share > most && (share >= LEAST_ALIKE || isPart) && !isNext) [best, most] = [at, share]
  }
  return best
}

/** Groups sentences that say the same. Each is compared with the first of a group. */
function group(sentences: Sentence[]): Sentence[][] {
  const counts = new Map<string, number>()
  for (const { words } of sentences) for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1)
  const weigh = (word: string) => Math.log(1 + sentences.length / (counts.get(word) ?? 1))
  const groups: Group[] = []
  const groupsOf = new Map<string, number[]>()
  for (const sentence of sentences) {
    const shared = new Map<number, number>()
    let weight = 0
    for (const word of sentence.words) {
      const own = weigh(word)
      weight += own
      for (const at of groupsOf.get(word) ?? []) shared.set(at, (shared.get(at) ?? 0) + own)
    }
    const best = mostAlike(groups, shared, { ...sentence, weight })
    if (best !== undefined) groups[best]?.members.push(sentence)
    else {
      for (const word of sentence.words) pushTo(groupsOf, word, groups.length)
      groups.push({ members: [sentence], weight })
    }
  }
  return groups.map(({ members }) => members)
}

function pushTo(map: Map<string, number[]>, key: string, value: number): void {
  const list = map.get(key)
  if (list) list.push(value)
  else map.set(key, [value])
}

function toPoint(members: Sentence[], count: number): Point[] {
  const [first] = members
  const said = [...new Set(members.map(({ from }) => from))]
  const proposals = said.filter((from) => from < count)
  if (!first || proposals.length === 0) return []
  const differences = findVariants(members).map((variants) => toVariants(variants, count))
  return [{ text: first.text, proposals, isInAnswer: said.includes(count), differences }]
}

/** @param texts a value's writing by its key, with the texts that have it */
function toVariants(values: { text: string; from: number[] }[], count: number): Variant[] {
  return values.map(({ text, from }) => ({
    text,
    proposals: from.filter((i) => i < count),
    isInAnswer: from.includes(count),
  }))
}

const mark = /####|\\boxed\s*\{|\banswer(?:\s+is\b|:)/i
const ending = /(?:[=≈]|\bis)\s*\$?-?[\d.,]+\W*$/
/** A number in bold type, with at most three words after it. `**1. Title**` is none. */
const boldNumber =
  /\*\*(?:[a-z]\s*=\s*)?(-?\$?\d[\d,]*(?:\.\d+)?)\s?%?(?![.):]\s)(?:\s+[^\s*]{1,30}){0,3}[.!]?\*\*/gi
const isShort = (text: string) => (text.match(token)?.length ?? 0) <= 8

/** The one number in bold type of a text; several are no answer. */
function boldOf(text: string): string | undefined {
  const found = [...text.matchAll(boldNumber)]
  return found.length === 1 ? found[0]?.[1] : undefined
}

const finalOf = (text: string) => extractAnswer((mark.test(text) ? undefined : boldOf(text)) ?? text)

/** Groups the short answers that the proposals end with: marked ones, results, a number in bold type, or the whole of short texts. */
function findFinals(proposals: string[], answer: string | undefined): Variant[] {
  const isMarked = (text: string) => mark.test(text) || ending.test(text) || boldOf(text) !== undefined
  const marked = proposals.filter(isMarked).length
  if (marked * 2 <= proposals.length && !proposals.every(isShort)) return []
  const last = answer === undefined ? undefined : finalOf(answer)
  const words = new Set([...(answer ?? '').matchAll(token)].map(([word]) => word.toLowerCase()))
  const found = new Map<string, number[]>()
  for (const [i, text] of proposals.entries()) pushTo(found, finalOf(text), i)
  return (
    [...found]
      // An answer that ends otherwise may still name one of them.
      .map(([text, proposals]) => ({
        text,
        proposals,
        isInAnswer: last !== undefined && (found.has(last) ? text === last : words.has(text)),
      }))
      .filter(({ text }) => text.length <= 60)
      .sort((a, b) => b.proposals.length - a.proposals.length)
  )
}

/** Texts that kept most of the same text before them. */
export interface Kept {
  /** Place of the text that they kept, from 0; undefined if they are in their own words. */
  proposal?: number
  /** Places of those that kept it, from 0. */
  aggregations: number[]
}

/** The least share of its characters that a text must have from another to have kept it. */
const LEAST_KEPT = 0.4

/** Groups aggregations by the proposal that each shares most text with, the largest group first. */
export function groupByKept(aggregations: string[], proposals: string[]): Kept[] {
  const groups = new Map<number | undefined, number[]>()
  for (const [i, text] of aggregations.entries()) {
    const shares = new Array<number>(proposals.length).fill(0)
    let total = 0
    for (const { start, end, sources } of attribute(text, proposals).sentences) {
      total += end - start
      for (const { proposal, share } of sources)
        shares[proposal] = (shares[proposal] ?? 0) + share * (end - start)
    }
    const most = Math.max(0, ...shares)
    const kept = total > 0 && most >= LEAST_KEPT * total ? shares.indexOf(most) : undefined
    groups.set(kept, [...(groups.get(kept) ?? []), i])
  }
  return [...groups]
    .map(([proposal, aggregations]) => ({ ...(proposal !== undefined && { proposal }), aggregations }))
    .sort((a, b) => b.aggregations.length - a.aggregations.length)
}
