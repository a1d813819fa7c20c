/**
 * Draws Markdown on a terminal while it streams: words appear as they come, only tables wait for their end. Own code, because
 * libraries draw whole texts: they would show a long answer at its end, or paint it again and again.
 */
import type { TextWriter } from './answer.ts'
import { readSpans, type Span } from './inline.ts'
import { sanitize } from './sanitize.ts'
import { inLocale, type Style } from './style.ts'
import { drawTable, isTable } from './table.ts'
import { piecesOf, widthOf } from './text.ts'

/** How a line begins, and what its next rows begin with. */
interface Start {
  /** Characters of the source that are not shown. */
  length: number
  first: string
  hang: string
  paint: (text: string) => string
}

const fence = /^\s{0,3}(```|~~~)/
/** What may still become a fence, a rule or the mark of a list. */
const undecided = /^\s*([`~]{0,2}|[-*_#+>\s]+|\d{1,9}[.)]?)$/
const rule = /^\s*([-*_])(\s*\1){2,}\s*$/
const MAX_ROWS = 200

/** Makes a writer that draws Markdown. @param write gets styled text */
export function createMarkdownWriter(
  write: (text: string) => void,
  columns: () => number,
  style: Style,
): TextWriter {
  return new MarkdownWriter(createPage(write, columns), columns, style)
}

/** It ends like every writer: what it keeps is drawn then. */
class MarkdownWriter implements TextWriter {
  readonly #page: ReturnType<typeof createPage>
  readonly #columns: () => number
  readonly #style: Style
  /** The end of what came, as it came. */
  #last = ''
  /** What is not drawn yet of the line. */
  #line = ''
  /** Undefined until the line's beginning is understood. */
  #start: Start | undefined
  #before = ''
  /** The fence of the code that the line is in. */
  #code: string | undefined
  #table: string[] = []

  constructor(page: ReturnType<typeof createPage>, columns: () => number, style: Style) {
    this.#page = page
    this.#columns = columns
    this.#style = style
  }

  push(delta: string): void {
    const parts = sanitize(delta, this.#last).replaceAll('\t', '    ').split('\n')
    this.#last = (this.#last + delta).slice(-2)
    for (const [i, part] of parts.entries()) {
      if (i > 0) this.#endLine()
      this.#line += part
    }
    // Lines of code and rows of tables wait for their end.
    const mayBeRow = this.#line.trimStart().startsWith('|') || fence.test(this.#line)
    const isOpen = this.#start !== undefined || !mayBeRow
    if (this.#code === undefined && isOpen && this.#table.length === 0) this.#show(false)
  }

  end(): void {
    if (this.#line !== '' || this.#start) this.#endLine()
    this.#endTable()
    this.#code = undefined
  }

  /** Draws what is certain of the line, or all of it. */
  #show(isWhole: boolean): void {
    if (!this.#start && !isWhole && undecided.test(this.#line)) return
    if (!this.#start) {
      this.#start = startOf(this.#line, this.#columns(), this.#style)
      this.#line = this.#line.slice(this.#start.length)
      this.#before = ''
      this.#page.begin(this.#start.first, this.#start.hang)
    }
    const { paint: base } = this.#start
    const { spans, rest } = readSpans(this.#line, { base, style: this.#style, isWhole, before: this.#before })
    this.#before = this.#line[this.#line.length - rest.length - 1] ?? this.#before
    this.#line = rest
    for (const span of spans) this.#page.add(span)
  }

  #endLine(): void {
    const line = this.#line
    const isText = this.#start !== undefined
    const isRow = !isText && this.#code === undefined && line.trimStart().startsWith('|')
    this.#line = ''
    if (isRow && this.#table.length < MAX_ROWS) {
      this.#table.push(line)
      return
    }
    this.#endTable()
    if (isText || !this.#drawWhole(line)) this.#writeWhole(line)
  }

  /** Draws a line that is no text: a fence, code or a rule. */
  #drawWhole(line: string): boolean {
    const mark = fence.exec(line)?.[1]
    if (mark && (this.#code ?? mark) === mark) {
      this.#code = this.#code === undefined ? mark : undefined
      this.#page.row(this.#style.dim(line))
    } else if (this.#code !== undefined) this.#page.row(line)
    else if (rule.test(line)) this.#page.row(this.#style.dim('─'.repeat(this.#columns())))
    else return false
    return true
  }

  #writeWhole(text: string): void {
    this.#line = text
    this.#show(true)
    this.#page.end()
    this.#start = undefined
    this.#line = ''
  }

  #endTable(): void {
    const rows = this.#table
    this.#table = []
    if (isTable(rows)) for (const row of drawTable(rows, this.#columns(), this.#style)) this.#page.row(row)
    else for (const row of rows) this.#writeWhole(row)
  }
}

/** Reads how a line begins: a heading, the mark of a list, a quote, or a text. */
function startOf(line: string, columns: number, style: Style): Start {
  const plain = (text: string) => text
  const [heading] = /^#{1,6}\s+/.exec(line) ?? []
  if (heading) return { length: heading.length, first: '', hang: '', paint: style.bold }
  const [quote] = /^\s{0,3}>\s?/.exec(line) ?? []
  if (quote) return { length: quote.length, first: style.dim('│ '), hang: style.dim('│ '), paint: style.dim }
  const [item, indent = '', mark = ''] = /^(\s*)([-*+]|\d{1,9}[.)])\s+/.exec(line) ?? []
  const shown = /\d/.test(mark) ? mark : '•'
  const space = indent.slice(0, Math.floor(columns / 3))
  if (item) {
    const first = `${space}${shown} `
    return { length: item.length, first, hang: ' '.repeat(first.length), paint: plain }
  }
  const [margin = ''] = /^\s*/.exec(line) ?? []
  const kept = margin.slice(0, Math.floor(columns / 3))
  return { length: margin.length, first: kept, hang: kept, paint: plain }
}

/** Breaks spans into rows between words. A word may have several spans. */
function createPage(write: (text: string) => void, columns: () => number) {
  let [used, hang, space] = [0, '', '']
  let word: Span[] = []
  const flush = () => {
    const width = word.reduce((sum, { text }) => sum + widthOf(text), 0)
    if (width === 0) return
    const isFirst = used <= widthOf(plainOf(hang))
    if (!isFirst && used + widthOf(space) + width > columns()) {
      write(`\n${inLocale(hang)}`)
      used = widthOf(plainOf(hang))
    } else if (!isFirst) {
      write(space)
      used += widthOf(space)
    }
    for (const { text, paint } of word) write(paint(text))
    used += width
    ;[word, space] = [[], '']
  }
  return {
    begin(first: string, next: string) {
      write(inLocale(first))
      ;[used, hang, space] = [widthOf(plainOf(first)), next, '']
    },
    add({ text, paint }: Span) {
      for (const [i, piece] of piecesOf(text).entries()) {
        const isSpace = piece.trim() === ''
        if (i > 0 || isSpace) flush()
        if (isSpace) space += piece
        else word.push({ text: piece, paint })
      }
    },
    end() {
      flush()
      write('\n')
      ;[used, hang, space] = [0, '', '']
    },
    row: (text: string) => write(`${inLocale(text)}\n`),
  }
}

/** A prefix without its style: there are no other sequences in it. */
function plainOf(prefix: string): string {
  return prefix.replace(/\x1b\[\d+m/g, '')
}
