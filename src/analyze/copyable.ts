/** Finds which parts of a target stand in its drafts word for word. */
import { type Span, splitWords } from './words.ts'

const GRAM_WORDS = 4

/**
 * Finds the parts of a target that are copied: all words of a run of four that some draft has too.
 * @returns spans in UTF-16 code units, in order, without overlap
 */
export function findCopyable(target: string, drafts: string[]): Span[] {
  const grams = new Set(drafts.flatMap((draft) => gramsOf(splitWords(draft).texts)))
  const { texts, spans } = splitWords(target)
  const isCopied = new Array<boolean>(texts.length).fill(false)
  for (const [i, gram] of gramsOf(texts).entries())
    if (grams.has(gram)) isCopied.fill(true, i, i + GRAM_WORDS)
  const found: Span[] = []
  for (const [i, { start, end }] of spans.entries()) {
    if (!isCopied[i]) continue
    const last = found.at(-1)
    if (last && isCopied[i - 1]) last.end = end
    else found.push({ start, end })
  }
  return found
}

function gramsOf(words: string[]): string[] {
  return words.slice(GRAM_WORDS - 1).map((_, i) => words.slice(i, i + GRAM_WORDS).join(' '))
}

/** Says for each token of a text whether it touches one of the spans; undefined if the tokens are not the text. */
export function markTokens(tokens: string[], text: string, spans: Span[]): boolean[] | undefined {
  if (tokens.join('') !== text) return undefined
  let at = 0
  return tokens.map((token) => {
    const start = at + token.length - token.trimStart().length
    at += token.length
    return spans.some((span) => start < span.end && at > span.start && start < at)
  })
}
