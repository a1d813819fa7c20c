/** Measures and breaks text on a terminal. Widths are columns; wide characters count as two. */
import { createRequire } from 'node:module'

const printableAscii = /^[\x20-\x7e]*$/
const require = createRequire(import.meta.url)

/** Returns the columns that a text without styles takes. The library is loaded when a text needs it: that takes 20 ms. */
export function widthOf(text: string): number {
  return printableAscii.test(text) ? text.length : require('string-width').default(text)
}

/**
 * Splits a text at the places where a line may break. Pieces are white space, words, and in scripts without spaces each
 * character with the punctuation after it. Joined, the pieces are the text.
 */
export function piecesOf(text: string): string[] {
  const pattern = /\s+|[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}]\p{P}*|[^\s\p{sc=Han}\p{sc=Hira}\p{sc=Kana}]+/gu
  return text.match(pattern) ?? []
}

/** Breaks a text into lines of at most `width` columns (at least one line). White space at a break is dropped. */
export function wrap(text: string, width: number): string[] {
  return text.split('\n').flatMap((paragraph) => wrapParagraph(paragraph.replaceAll('\t', '    '), width))
}

function wrapParagraph(paragraph: string, width: number): string[] {
  const lines = ['']
  let used = 0
  for (const piece of piecesOf(paragraph)) {
    const needed = widthOf(piece)
    const isSpace = piece.trim() === ''
    if (used + needed <= width) {
      lines[lines.length - 1] += piece
      used += needed
    } else if (!isSpace) {
      const rows = needed <= width ? [piece] : breakWord(piece, width)
      if (used === 0) lines.pop()
      lines.push(...rows)
      used = widthOf(rows.at(-1) ?? '')
    } else if (used > 0) {
      lines.push('')
      used = 0
    }
  }
  return lines.map((line) => line.trimEnd())
}

function breakWord(word: string, width: number): string[] {
  const rows = ['']
  let used = 0
  for (const segment of charactersOf(word)) {
    const needed = widthOf(segment)
    if (used + needed > width && used > 0) {
      rows.push('')
      used = 0
    }
    rows[rows.length - 1] += segment
    used += needed
  }
  return rows
}

/** What a reader sees as one character each. */
function charactersOf(text: string): string[] {
  return Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment)
}

/** Returns the text if it fits, or else its beginning and `…`, in at most `width` columns. */
export function cutEnd(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  let kept = ''
  for (const segment of charactersOf(text.slice(0, 4 * width))) {
    if (widthOf(kept + segment) > width - 1) break
    kept += segment
  }
  return width < 1 ? '' : `${kept.trimEnd()}…`
}

/** Returns the text if it fits, or else `…` and its end, in at most `width` columns. */
export function cutStart(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  let kept = ''
  for (const segment of charactersOf(text.slice(-4 * width)).reverse()) {
    if (widthOf(segment + kept) > width - 1) break
    kept = segment + kept
  }
  return width < 1 ? '' : `…${kept}`
}

/** Writes a count with its noun, such as `1,204 tokens`. */
export function showCount(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`
}
