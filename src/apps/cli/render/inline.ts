/** Reads the marks within a line of Markdown: bold, italic, code and links. */
import type { Paint, Style } from './style.ts'

/** A part of a line, and how it is painted. */
export interface Span {
  text: string
  paint: Paint
}

/** A mark that is not closed within so many characters is text. So a hostile line costs little time. */
const MAX_SPAN = 300
const special = /[*_`[\\$]/

/** A kind of span: its pattern at the start of a text, and what it becomes. `needsGap`: no word may stand directly before. */
interface Mark {
  pattern: RegExp
  needsGap?: boolean
  spans(match: RegExpExecArray, base: Paint, style: Style): Span[]
}

const inner = (format: (style: Style) => Paint): Mark['spans'] => {
  return ([, text = ''], base, style) =>
    readSpans(text, { base: (part) => format(style)(base(part)), style, isWhole: true }).spans
}
const raw: Mark['spans'] = ([text], base) => [{ text, paint: base }]

/** Formulas come first: they keep their backslashes. */
const marks: Mark[] = [
  { pattern: /^(?:\$\$[\s\S]*?\$\$|\\\([\s\S]*?\\\)|\\\[[\s\S]*?\\\])/, spans: raw },
  { pattern: /^\\([*_`])/, spans: ([, text = ''], base) => [{ text, paint: base }] },
  {
    pattern: /^(`+)([\s\S]*?[^`])\1(?!`)/,
    spans: ([, , text = ''], _, { accent }) => [{ text: text.trim() || text, paint: accent }],
  },
  { pattern: /^\*\*(?=\S)([\s\S]*?\S)\*\*(?!\*)/, spans: inner(({ bold }) => bold) },
  { pattern: /^__(?=\S)([\s\S]*?\S)__(?!\w)/, needsGap: true, spans: inner(({ bold }) => bold) },
  { pattern: /^\*(?=[^\s*])([^*]*?[^\s*])\*(?![\w*])/, needsGap: true, spans: inner(({ italic }) => italic) },
  { pattern: /^_(?=[^\s_])([^_]*?[^\s_])_(?![\w_])/, needsGap: true, spans: inner(({ italic }) => italic) },
  {
    pattern: /^\[([^\][]+)\]\(([^()\s]+)\)/,
    spans: ([, text = '', address = ''], base, { dim }) => [
      { text, paint: base },
      ...(text === address ? [] : [{ text: ` (${address})`, paint: dim }]),
    ],
  },
]

/**
 * Splits a text into spans. If more may follow (`isWhole` is false), it stops at a mark that may still be closed, and at the
 * last word; `rest` is what it did not read.
 * @param before the character before the text
 */
export function readSpans(
  text: string,
  { base, style, isWhole, before = '' }: { base: Paint; style: Style; isWhole: boolean; before?: string },
): { spans: Span[]; rest: string } {
  const spans: Span[] = []
  let rest = text
  let last = before
  const take = (length: number, made?: Span[]) => {
    spans.push(...(made ?? [{ text: rest.slice(0, length), paint: base }]))
    last = rest[length - 1] ?? last
    rest = rest.slice(length)
  }
  while (rest !== '') {
    const place = rest.search(special)
    if (place > 0) take(place)
    else if (place < 0) {
      take(isWhole ? rest.length : rest.search(/\S*$/))
      if (!isWhole) break
    } else {
      const found = findMark(rest, last)
      // With nothing after it, a mark may still become a longer one.
      if (!isWhole && rest.length < MAX_SPAN && (!found || found.match[0].length === rest.length)) break
      if (found) take(found.match[0].length, found.mark.spans(found.match, base, style))
      else take(1)
    }
  }
  return { spans: spans.filter((span) => span.text !== ''), rest }
}

function findMark(rest: string, last: string): { mark: Mark; match: RegExpExecArray } | undefined {
  const near = rest.slice(0, MAX_SPAN)
  for (const mark of marks) {
    if (mark.needsGap && /[\w*_]/.test(last)) continue
    const match = mark.pattern.exec(near)
    if (match) return { mark, match }
  }
  return undefined
}
