/** Finds what an answer took from its proposals: per sentence, the word runs that both have. */
import type { Result } from '../core/result.ts'
import { indexRuns, type RunIndex } from './shared-runs.ts'
import { type Span, splitSentences, splitWords, type Words } from './words.ts'

export type { Span } from './words.ts'

/** A run of words in the answer (`at`), and its first place in a proposal (`from`). Ends are exclusive. */
export interface SharedSpan {
  at: Span
  from: Span
}

/** What one sentence shares with one proposal. */
export interface Source {
  /** Place in the list of proposals, from 0. */
  proposal: number
  /** Share (0 to 1) of the sentence's words that the shared runs cover. */
  share: number
  /** In the order of the answer. They do not overlap there. */
  spans: SharedSpan[]
}

/** A sentence of an answer, and where it comes from. */
export interface SentenceAttribution extends Span {
  /** Share (0 to 1) of its words that are in a run shared with some proposal. */
  copyRate: number
  /** True if it shares no run with any proposal. */
  isNew: boolean
  /** The proposals that it shares text with, the largest share first. */
  sources: Source[]
  /** Words outside of all shared runs. Neighbors are joined. */
  fresh: Span[]
}

/** The origin of an answer's text. */
export interface Attribution {
  /** Share (0 to 1) of the answer's words that are in a run shared with some proposal; 0 for an answer without words. */
  copyRate: number
  sentences: SentenceAttribution[]
}

/** Fewest words in a shared run, since shorter ones are common by chance. A shorter sentence must match as a whole. */
export const LEAST_WORDS = 4

/**
 * Finds what the sentences of an answer share with its proposals. Case, punctuation and Markdown marks do not count. A
 * character of a script without spaces counts as half a word. It finds copied words, not ideas: a paraphrase is new.
 * The time is linear in the length of all texts.
 * @param answer the offsets of `at` are in this string
 * @param proposals the offsets of `from` are in these strings
 * @example
 * const { sentences } = attribute('The sky is blue.', ['I think the sky is blue.'])
 */
export function attribute(answer: string, proposals: string[]): Attribution {
  const words = splitWords(answer)
  const shown = proposals.map((text) => splitWords(text))
  const numbers = numberWords(shown)
  const query = Int32Array.from(words.texts, (text) => numbers.get(text) ?? -1)
  const matches = shown.map((proposal) => {
    const indexed = Int32Array.from(proposal.texts, (text) => numbers.get(text) as number)
    return { words: proposal, found: indexRuns(indexed).match(query) }
  })
  let first = 0
  const sentences = splitSentences(answer).map((span) => {
    while (first < words.spans.length && (words.spans[first] as Span).start < span.start) first++
    let end = first
    while (end < words.spans.length && (words.spans[end] as Span).end <= span.end) end++
    const sentence = attributeSentence(span, { words, first, end }, matches)
    first = end
    return sentence
  })
  const total = sum(sentences.map((s) => s.weight))
  const copied = sum(sentences.map((s) => s.weight * s.copyRate))
  return {
    copyRate: total === 0 ? 0 : copied / total,
    sentences: sentences.map(({ weight, ...sentence }) => sentence),
  }
}

function numberWords(texts: Words[]): Map<string, number> {
  const numbers = new Map<string, number>()
  for (const { texts: words } of texts) {
    for (const word of words) if (!numbers.has(word)) numbers.set(word, numbers.size)
  }
  return numbers
}

interface Match {
  words: Words
  found: ReturnType<RunIndex['match']>
}
/** Words `first` to `end` (exclusive) of the answer. */
interface Range {
  words: Words
  first: number
  end: number
}

function attributeSentence(span: Span, range: Range, matches: Match[]) {
  const { words, first, end } = range
  const isCovered = new Uint8Array(end - first)
  const weight = sum(words.weights.slice(first, end))
  const sources: Source[] = []
  for (const [proposal, match] of matches.entries()) {
    const runs = findRuns(range, match, Math.min(LEAST_WORDS, weight))
    if (runs.length === 0) continue
    let covered = 0
    for (const run of runs) {
      isCovered.fill(1, run.first - first, run.end - first)
      covered += sum(words.weights.slice(run.first, run.end))
    }
    sources.push({ proposal, share: covered / weight, spans: runs.map((run) => toSpan(run, words, match)) })
  }
  const copied = sum(words.weights.slice(first, end).filter((_, i) => isCovered[i]))
  return {
    ...span,
    weight,
    copyRate: weight === 0 ? 0 : copied / weight,
    isNew: sources.length === 0 && weight > 0,
    sources: sources.sort((a, b) => b.share - a.share || a.proposal - b.proposal),
    fresh: joinWords(words, first, end, (i) => !isCovered[i - first]),
  }
}

interface Run {
  first: number
  end: number
  /** The last word of the run in the proposal. */
  last: number
}

/** Finds runs with a weight of at least `least` within a sentence. If two overlap, the longer keeps the overlap. */
function findRuns({ words, first, end }: Range, { found }: Match, least: number): Run[] {
  const maximal: Run[] = []
  for (let at = first; at < end; at++) {
    const length = Math.min(found.lengths[at] as number, at - first + 1)
    const next = at + 1 < end ? Math.min(found.lengths[at + 1] as number, at - first + 2) : 0
    if (length > 0 && next <= length) {
      maximal.push({ first: at - length + 1, end: at + 1, last: found.ends[at] as number })
    }
  }
  const isLong = (run: Run) => run.end > run.first && sum(words.weights.slice(run.first, run.end)) >= least
  const runs: Run[] = []
  for (const run of maximal.filter(isLong)) {
    const before = runs.at(-1)
    if (before && before.end > run.first) {
      if (before.end - before.first >= run.end - run.first) run.first = before.end
      else {
        before.last -= before.end - run.first
        before.end = run.first
      }
      if (before.end <= before.first) runs.pop()
    }
    if (run.end > run.first) runs.push(run)
  }
  return runs
}

function toSpan({ first, end, last }: Run, words: Words, match: Match): SharedSpan {
  const from = match.words.spans
  return {
    at: { start: (words.spans[first] as Span).start, end: (words.spans[end - 1] as Span).end },
    from: { start: (from[last - (end - first) + 1] as Span).start, end: (from[last] as Span).end },
  }
}

function joinWords({ spans }: Words, first: number, end: number, isWanted: (i: number) => boolean): Span[] {
  const joined: Span[] = []
  let isOpen = false
  for (let i = first; i < end; i++) {
    const { start, end } = spans[i] as Span
    const before = joined.at(-1)
    if (!isWanted(i)) isOpen = false
    else if (isOpen && before) before.end = end
    else {
      joined.push({ start, end })
      isOpen = true
    }
  }
  return joined
}

function sum(values: ArrayLike<number>): number {
  let total = 0
  for (let i = 0; i < values.length; i++) total += values[i] as number
  return total
}

/** An answer's attribution to all usable completions of the layers before it. */
export interface ResultAttribution extends Omit<Attribution, 'sentences'> {
  sentences: (Omit<SentenceAttribution, 'sources'> & { sources: PlacedSource[] })[]
}

/** A source with the place of its proposal. */
export interface PlacedSource extends Omit<Source, 'proposal'> {
  layer: number
  index: number
}

/**
 * Runs `attribute` on a whole result. Without an aggregation (`single`, votes) every sentence is new.
 * @example
 * const { sentences } = attributeResult(await answer('Why is the sky blue?', { engine }))
 */
export function attributeResult({ answer, layers, from }: Result): ResultAttribution {
  const shown = layers
    .slice(0, from.layer)
    .flatMap(({ completions }, layer) => completions.filter((c) => !c.excluded).map((c) => ({ layer, ...c })))
  const { copyRate, sentences } = attribute(
    answer,
    shown.map((c) => c.text),
  )
  const place = ({ proposal, ...rest }: Source): PlacedSource => {
    const { layer, index } = shown[proposal] as (typeof shown)[number]
    return { layer, index, ...rest }
  }
  return { copyRate, sentences: sentences.map((s) => ({ ...s, sources: s.sources.map(place) })) }
}
