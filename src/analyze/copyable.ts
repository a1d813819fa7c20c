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
  return placeTokens(tokens, text)?.map(({ start, end }) => {
    const token = text.slice(start, end)
    const from = start + token.length - token.trimStart().length
    return spans.some((span) => from < span.end && end > span.start && from < end)
  })
}

/** What stands in a token for the bytes of a character that is split over several tokens. */
const BROKEN = '\uFFFD'

/** Where each token stands in its text. Tokens that share characters have the place of all of them. */
function placeTokens(tokens: string[], text: string): Span[] | undefined {
  const places: Span[] = []
  let at = 0
  while (places.length < tokens.length) {
    const token = tokens[places.length] as string
    const isWhole = text.startsWith(token, at)
    const broken = isWhole ? undefined : placeBroken(tokens, places.length, text, at)
    const { count, end } = broken ?? { count: 1, end: at + token.length }
    if (!isWhole && !broken) return undefined
    for (let i = 0; i < count; i++) places.push({ start: at, end })
    at = end
  }
  return at === text.length ? places : undefined
}

/** How many tokens from `from` share the characters at `start`, and where these end: there stands what follows the tokens. */
function placeBroken(tokens: string[], from: number, text: string, start: number) {
  const isBroken = (token: string) => token.includes(BROKEN)
  const to = endOfRun(tokens, from, isBroken)
  const until = endOfRun(tokens, to, (token) => !isBroken(token))
  const [own, next] = [tokens.slice(from, to).join(''), tokens.slice(to, until).join('')]
  const last = text.length - next.length
  const [least, most] =
    until === tokens.length ? [last, last] : [start + 1, Math.min(last, start + 4 * own.length)]
  for (let end = least; to > from && end <= most; end++) {
    const piece = text.slice(start, end)
    const ascii = asciiOf(piece)
    if (ascii !== piece && ascii === asciiOf(own) && text.startsWith(next, end))
      return { count: to - from, end }
  }
  return undefined
}

const asciiOf = (text: string) => text.replace(/[^\u0000-\u007f]/g, '')

function endOfRun(tokens: string[], from: number, isOne: (token: string) => boolean): number {
  let end = from
  while (end < tokens.length && isOne(tokens[end] as string)) end++
  return end
}
