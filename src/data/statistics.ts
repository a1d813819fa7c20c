/** Gathers the report's numbers while examples are written. The memory that it needs does not grow with them. */
import { textOf } from '../core/provider/engine.ts'
import type { BuildStatistics, LengthCounts } from '../files/build-counts.ts'
import { normalizeWords } from './fingerprints.ts'
import type { Draft } from './make-example.ts'

const GRAM_WORDS = 4

/** Sizes of one example, in characters. */
export interface Measures {
  prompt: number
  proposals: number[]
  target: number
  /** Share (0 to 1) of the target that is in a proposal; absent if it was not measured. */
  overlap?: number
}

/** Measures a draft. The overlap costs as much time as the rest of a build. */
export function measureDraft({ conversation, proposals, target }: Draft, measuresOverlap = true): Measures {
  const texts = proposals.map(({ text }) => text)
  return {
    prompt: conversation.reduce((sum, message) => sum + textOf(message).length, 0),
    proposals: texts.map((text) => text.length),
    target: target.length,
    ...(measuresOverlap && { overlap: findOverlap(target, texts) }),
  }
}

/** Makes empty statistics, or continues `from` others; `add` counts the measures of one example. */
export function createStatistics(
  from?: BuildStatistics,
): BuildStatistics & { add(measures: Measures): void } {
  const none = (): LengthCounts => ({ bins: [], texts: 0, chars: 0 })
  const lengths = from?.lengths ?? { prompts: none(), proposals: none(), targets: none() }
  const overlap = from?.overlap ?? Array.from({ length: 10 }, () => 0)
  return {
    lengths,
    overlap,
    add({ prompt, proposals, target, overlap: share }) {
      addLength(lengths.prompts, prompt)
      for (const chars of proposals) addLength(lengths.proposals, chars)
      addLength(lengths.targets, target)
      if (share === undefined) return
      const bin = Math.min(9, Math.floor(10 * share))
      overlap[bin] = (overlap[bin] ?? 0) + 1
    },
  }
}

function addLength(counts: LengthCounts, chars: number): void {
  const bin = chars < 1 ? 0 : Math.floor(2 * Math.log2(chars))
  while (counts.bins.length <= bin) counts.bins.push(0)
  counts.bins[bin] = (counts.bins[bin] ?? 0) + 1
  counts.texts++
  counts.chars += chars
}

/** Returns the share (0 to 1) of a text's distinct word 4-grams that one of the others has; of its words if it has fewer than 4. */
export function findOverlap(text: string, others: string[]): number {
  const numbers = new Map<string, number>()
  const own = normalizeWords(text).map((word) => {
    const number = numbers.get(word) ?? numbers.size
    if (number === numbers.size) numbers.set(word, number)
    return number
  })
  const size = own.length < GRAM_WORDS ? 1 : GRAM_WORDS
  const left = new Set<number | string>()
  visitGrams(own, { size, count: numbers.size }, (gram) => left.add(gram))
  const total = left.size
  for (const other of others) {
    const words = normalizeWords(other).map((word) => numbers.get(word) ?? UNKNOWN)
    visitGrams(words, { size, count: numbers.size }, (gram) => left.delete(gram))
  }
  return total === 0 ? 0 : (total - left.size) / total
}

const UNKNOWN = -1

/** Visits the grams of known words: a number each, or text if numbers get too large. Words are numbers below `count`. */
function visitGrams(
  words: number[],
  { size, count }: { size: number; count: number },
  visit: (gram: number | string) => void,
): void {
  const isSmall = count ** size <= Number.MAX_SAFE_INTEGER
  let known = 0
  for (let i = 0; i < words.length; i++) {
    known = words[i] === UNKNOWN ? 0 : known + 1
    if (known < size) continue
    const from = i + 1 - size
    let gram = 0
    for (let k = from; k <= i; k++) gram = gram * count + (words[k] as number)
    visit(isSmall ? gram : words.slice(from, i + 1).join(' '))
  }
}
