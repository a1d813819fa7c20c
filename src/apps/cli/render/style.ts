/** The colors of the terminal view. There are none if the stream has no colors or NO_COLOR is set. */
import { stripVTControlCharacters, styleText } from 'node:util'
import { widthOf } from './text.ts'

/** Adds a style to a text. */
export type Paint = (text: string) => string

/** The styles of the terminal view. */
export interface Style {
  dim: Paint
  bold: Paint
  italic: Paint
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
    italic: paint('italic'),
    accent: paint('cyan'),
    good: paint('green'),
    warn: paint('yellow'),
    bad: paint('red'),
  }
}

/** Our own signs, and what a terminal without Unicode gets: one column each, so that lines keep their width. */
const SIGNS: Record<string, string> = {
  '─': '-',
  '━': '=',
  '│': '|',
  '✓': '+',
  '✗': 'x',
  '■': '#',
  '↻': '~',
  '…': '~',
  '·': '-',
  '•': '*',
  '–': '-',
}
const spinners = /[\u2800-\u28ff]/g
const SPINS = '|/-\\'

/** Says whether the locale has Unicode. A locale that is not set may have it: terminals do. */
export function hasUnicode({ LC_ALL, LC_CTYPE, LANG }: NodeJS.ProcessEnv = process.env): boolean {
  const locale = LC_ALL || LC_CTYPE || LANG
  return !locale || /utf-?8/i.test(locale)
}

/** Replaces our signs by ASCII if the locale has no Unicode. Texts of models keep their other characters. */
export function inLocale(text: string): string {
  if (hasUnicode()) return text
  const drawn = text.replace(/[─━│✓✗■↻…·•–]/g, (sign) => SIGNS[sign] as string)
  return drawn.replace(spinners, (sign) => SPINS[sign.charCodeAt(0) % SPINS.length] as string)
}

/** Returns the columns that a styled line takes. */
export function styledWidth(line: string): number {
  return widthOf(stripVTControlCharacters(line))
}

/** Pads a styled line with spaces to `width` columns. */
export function padStyled(line: string, width: number): string {
  return line + ' '.repeat(Math.max(0, width - styledWidth(line)))
}
