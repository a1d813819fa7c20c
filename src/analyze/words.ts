/** Splits texts into words and sentences, in any script. Offsets are UTF-16 code units, as in JavaScript strings. */

/** A part of a text, with its start and end in UTF-16 code units; the end is exclusive. */
export interface Span {
  start: number
  end: number
}

/** The words of a text in the form that is compared, with the place of each. */
export interface Words {
  /** Lower case, compatibility forms unified: "ﬁve" and "Five" are one word. */
  texts: string[]
  spans: Span[]
  /** The weight of each: 1, or 0.5 in a script without spaces, whose words here are single characters. */
  weights: number[]
}

/** Scripts that put no spaces between words, for a character class of a pattern with the flag `v`. */
export const unspaced =
  '\\p{scx=Han}\\p{scx=Hira}\\p{scx=Kana}\\p{sc=Thai}\\p{sc=Lao}\\p{sc=Khmr}\\p{sc=Mymr}'
/** Made with the first text: V8 takes 20 ms for it. */
let word: RegExp | undefined
const makeWord = () =>
  new RegExp(
    `(?<one>[[\\p{L}\\p{N}]&&[${unspaced}]])|[[\\p{L}\\p{N}\\p{M}]--[${unspaced}]]+(?:['’][[\\p{L}\\p{N}\\p{M}]--[${unspaced}]]+)*`,
    'gv',
  )

/** Splits a text into words of letters and digits. Punctuation, Markdown marks and white space separate them. */
export function splitWords(text: string): Words {
  const words: Words = { texts: [], spans: [], weights: [] }
  word ??= makeWord()
  for (const { 0: found, index, groups } of text.matchAll(word)) {
    words.texts.push(unify(found))
    words.spans.push({ start: index, end: index + found.length })
    words.weights.push(groups?.one ? 0.5 : 1)
  }
  return words
}

function unify(text: string): string {
  const plain = /^[\w']+$/.test(text) ? text : text.normalize('NFKC').replaceAll('’', "'")
  return plain.toLowerCase()
}

let segmenter: Intl.Segmenter | undefined
const hasWord = /[\p{L}\p{N}]/u
/** The number or mark of a list item or a heading. Alone it is not a sentence. */
const isMark = /^\s*(?:\(?[\p{N}]{1,3}[.)]|\(?\p{L}[.)]|[-*+•#>]+)\s*$/u

/** Splits a text into sentences by the rules of Unicode, and at line ends. White space and list numbers are left out. */
export function splitSentences(text: string): Span[] {
  const spans: Span[] = []
  let mark: Span | undefined
  const keep = (span: Span | undefined) => span && spans.push(span)
  segmenter ??= new Intl.Segmenter('en', { granularity: 'sentence' })
  for (const { segment, index } of segmenter.segment(text)) {
    if (!hasWord.test(segment)) continue
    const span = trim(text, index, index + segment.length)
    if (mark && text.slice(mark.end, span.start).includes('\n')) keep(mark)
    const isMarkHere = isMark.test(segment)
    mark = isMarkHere ? span : undefined
    if (!isMarkHere) spans.push(span)
  }
  keep(mark)
  return spans
}

function trim(text: string, start: number, end: number): Span {
  const whole = text.slice(start, end)
  const at = start + whole.length - whole.trimStart().length
  return { start: at, end: at + whole.trim().length }
}
