/** The colors of the terminal view. None if the stream has no colors or NO_COLOR is set. */
import { stripVTControlCharacters, styleText } from 'node:util'
import { widthOf } from './text.ts'

export type Paint = (text: string) => string

export interface Style {
  dim: Paint
  bold: Paint
  accent: Paint
  good: Paint
  warn: Paint
  bad: Paint
}

export function makeStyle(hasColors: boolean): Style {
  const paint = (format: Parameters<typeof styleText>[0]): Paint => {
    return (text) => (hasColors && text ? styleText(format, text, { validateStream: false }) : text)
  }
  return {
    dim: paint('dim'),
    bold: paint('bold'),
    accent: paint('cyan'),
    good: paint('green'),
    warn: paint('yellow'),
    bad: paint('red'),
  }
}

/** Columns that a styled line takes. */
export function styledWidth(line: string): number {
  return widthOf(stripVTControlCharacters(line))
}

/** Pads a styled line with spaces to `width` columns. */
export function padStyled(line: string, width: number): string {
  return line + ' '.repeat(Math.max(0, width - styledWidth(line)))
}
