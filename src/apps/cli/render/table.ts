/** Draws a table of Markdown. */
import { readSpans } from './inline.ts'
import type { Style } from './style.ts'
import { widthOf, wrap } from './text.ts'

const GAP = 2
const MIN_COLUMN = 6

/** Says whether lines that begin with a bar are a table: its second row is made of dashes. */
export function isTable([, second = '', ...rows]: string[]): boolean {
  return rows.length > 0 && /^[\s|:-]+$/.test(second) && second.includes('-')
}

/** Draws a table in at most `columns` columns: long cells wrap. If it cannot fit, its source is returned. */
export function drawTable(source: string[], columns: number, style: Style): string[] {
  const rows = source.filter((_, i) => i !== 1).map((line) => cellsOf(line, style))
  const count = Math.max(...rows.map((row) => row.length))
  const natural = Array.from({ length: count }, (_, i) =>
    Math.max(1, ...rows.map((row) => widthOf(row[i] ?? ''))),
  )
  const widths = fitWidths(natural, columns - GAP * (count - 1))
  if (!widths) return source
  const rule = style.dim(widths.map((width) => '─'.repeat(width)).join(' '.repeat(GAP)))
  return rows.flatMap((row, i) => {
    const lines = drawRow(row, widths)
    return i === 0 ? [...lines.map((line) => style.bold(line)), rule] : lines
  })
}

function cellsOf(line: string, style: Style): string[] {
  const inner = line.trim().replace(/^\||(?<!\\)\|$/g, '')
  return inner.split(/(?<!\\)\|/).map((cell) => {
    const { spans } = readSpans(cell.trim().replaceAll('\\|', '|'), {
      base: (text) => text,
      style,
      isWhole: true,
    })
    return spans.map(({ text }) => text).join('')
  })
}

/** Takes from the widest column until all fit; undefined if they cannot. */
function fitWidths(natural: number[], room: number): number[] | undefined {
  const widths = [...natural]
  let over = widths.reduce((sum, width) => sum + width, 0) - room
  while (over > 0) {
    const widest = Math.max(...widths)
    if (widest <= MIN_COLUMN) return undefined
    widths[widths.indexOf(widest)] = widest - 1
    over--
  }
  return widths
}

function drawRow(row: string[], widths: number[]): string[] {
  const cells = widths.map((width, i) => wrap(row[i] ?? '', width))
  const height = Math.max(...cells.map((lines) => lines.length))
  return Array.from({ length: height }, (_, y) => {
    const parts = cells.map((lines, i) => {
      const text = lines[y] ?? ''
      return text + ' '.repeat(Math.max(0, (widths[i] ?? 0) - widthOf(text)))
    })
    return parts.join(' '.repeat(GAP)).trimEnd()
  })
}
