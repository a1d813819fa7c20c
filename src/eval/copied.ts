/** Measures how much of an answer is copied from its proposals. */

const GRAM_WORDS = 4

/** What an answer has in common with its proposals. */
export interface Copied {
  /** Share (0 to 1) of the answer's word 4-grams that some proposal has; 0 if the answer has fewer than 4 words. */
  share: number
  /** Place of the proposal that has most of them, from 0; undefined if no proposal has any, or if several are equal. */
  nearest?: number
}

/** Compares an answer with each of its proposals. */
export function findCopied(answer: string, proposals: string[]): Copied {
  const grams = gramsOf(answer)
  if (grams.length === 0) return { share: 0 }
  const sets = proposals.map((proposal) => new Set(gramsOf(proposal)))
  const share = grams.filter((gram) => sets.some((set) => set.has(gram))).length / grams.length
  const counts = sets.map((set) => grams.filter((gram) => set.has(gram)).length)
  const most = Math.max(0, ...counts)
  const isOne = most > 0 && counts.filter((count) => count === most).length === 1
  return { share, ...(isOne && { nearest: counts.indexOf(most) }) }
}

function gramsOf(text: string): string[] {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []
  return words.slice(GRAM_WORDS - 1).map((_, i) => words.slice(i, i + GRAM_WORDS).join(' '))
}
