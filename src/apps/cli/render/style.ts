/** The colors of the terminal view. There are none if the stream has no colors or NO_COLOR is set. */
import { stripVTControlCharacters, styleText } from 'node:util'
import { widthOf } from './text.ts'

/** Adds a style to a text. */
export type Paint = (text: string) => string

/** The styles of the terminal view. */
export interface Style {
  dim: Paint
  bold: Paint
  accent: Paint
  good: Paint
  warn: Paint
  bad: Paint
}

/** Makes the styles. Without colors they return texts unchanged. */
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

/** Returns the columns that a styled line takes. */
export function styledWidth(line: string): number {
  return widthOf(stripVTControlCharacters(line))
}

/** Pads a styled line with spaces to `width` columns. */
export function padStyled(line: string, width: number): string {
  return line + ' '.repeat(Math.max(0, width - styledWidth(line)))
}
