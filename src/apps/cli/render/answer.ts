/** Writes a streamed text to the terminal, with line breaks between words. */

import { sanitize } from './sanitize.ts'
import { piecesOf, widthOf } from './text.ts'

/** Writes one text after another. */
export interface TextWriter {
  push(delta: string): void
  /** Writes the last word and ends the line. */
  end(): void
}

const TAB = ' '.repeat(8)

/**
 * Makes a writer. It keeps the last word until it is complete, so that the whole word can move to the next line. Code
 * between fences gets no added breaks: the terminal wraps it, and it can be copied unchanged.
 */
export function createTextWriter(write: (text: string) => void, columns: () => number): TextWriter {
  let [kept, last] = ['', '']
  let line = ''
  let used = 0
  let isCode = false
  const put = (piece: string) => {
    const needed = widthOf(piece.replaceAll('\t', TAB))
    const isSpace = piece.trim() === ''
    if (!isCode && used > 0 && used + needed > columns()) {
      write('\n')
      used = 0
      if (isSpace) return
    }
    write(piece)
    line += piece
    used += needed
  }
  const breakLine = () => {
    if (line.trimStart().startsWith('```')) isCode = !isCode
    write('\n')
    line = ''
    used = 0
  }
  const putAll = (text: string) => {
    for (const [i, part] of text.split('\n').entries()) {
      if (i > 0) breakLine()
      for (const piece of piecesOf(part)) put(piece)
    }
  }
  return {
    push(delta) {
      const text = kept + sanitize(delta, last)
      last = (last + delta).slice(-2)
      kept = piecesOf(text).at(-1) ?? ''
      putAll(text.slice(0, text.length - kept.length))
    },
    end() {
      putAll(kept)
      if (used > 0) breakLine()
      ;[kept, last] = ['', '']
      isCode = false
    },
  }
}
