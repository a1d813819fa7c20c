/** Texts cut into words and sentences, in any script. Offsets are those of JavaScript strings. */

/** A stretch of a text, from and to in UTF-16 code units. */
export interface Span {
  start: number
  end: number
}

/** The words of a text, as they are compared, and the place of each. */
export interface Words {
  /** Lower case, compatibility forms unified: "ﬁve" and "Five" are one word. */
  texts: string[]
  spans: Span[]
  /** What each counts: 1, or half if a script writes no spaces and a word here is one character. */
  weights: number[]
}

const unspaced = '\\p{scx=Han}\\p{scx=Hira}\\p{scx=Kana}\\p{sc=Thai}\\p{sc=Lao}\\p{sc=Khmr}\\p{sc=Mymr}'
const word = new RegExp(
  `(?<one>[[\\p{L}\\p{N}]&&[${unspaced}]])|[[\\p{L}\\p{N}\\p{M}]--[${unspaced}]]+(?:['’][[\\p{L}\\p{N}\\p{M}]--[${unspaced}]]+)*`,
  'gv',
)

/** Letters and digits are words; punctuation, marks of Markdown and white space stand between them. */
export function splitWords(text: string): Words {
  const words: Words = { texts: [], spans: [], weights: [] }
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

const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' })
const hasWord = /[\p{L}\p{N}]/u
/** A list's number or mark, or a heading's, which is no sentence by itself. */
const isMark = /^\s*(?:\(?[\p{N}]{1,3}[.)]|\(?\p{L}[.)]|[-*+•#>]+)\s*$/u

/** Sentences as Unicode parts them, a line's end too, without white space or a list's number around them. */
export function splitSentences(text: string): Span[] {
  const spans: Span[] = []
  let mark: Span | undefined
  const keep = (span: Span | undefined) => span && spans.push(span)
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
