/** Draws a layer as lines, its members side by side if the terminal is wide enough. Pure: state in, lines out. */

import { listNumbers } from '../../../core/provider/gaps.ts'
import { sanitize } from './sanitize.ts'
import type { LayerView, MemberView } from './state.ts'
import { padStyled, type Style } from './style.ts'
import { cutEnd, cutStart, showCount, widthOf, wrap } from './text.ts'

/** Size of the terminal. */
export interface FrameSize {
  columns: number
  /** Most lines that the frame may take. */
  rows: number
}

interface Grid {
  across: number
  /** Columns of one cell. */
  width: number
  /** Lines of text per cell; 0 puts the whole member on one line. */
  height: number
}

const MIN_CELL = 22
const MAX_CELL = 60
const GAP = 2
const MAX_HEIGHT = 10
const SPINNER = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏'

/** Returns the spinner's character at a time. It turns once per second. */
export function spin(nowMs: number): string {
  return SPINNER[Math.floor(nowMs / 100) % SPINNER.length] as string
}

/** Draws the lines of a layer: at most `rows` (at least 2), each at most `columns` - 1 wide. */
export function frameOf(view: LayerView, size: FrameSize, nowMs: number, style: Style): string[] {
  const columns = Math.max(8, size.columns - 1)
  const lines = [headingOf(view, columns, nowMs, style)]
  const grid = layOut(view, columns, size.rows - 1)
  if (grid.height === 0) lines.push(...listMembers(view, columns, nowMs, style))
  const inCells = grid.height > 0 ? view.members.filter((member) => !isFolded(member, view)) : []
  for (let i = 0; i < inCells.length; i += grid.across) {
    const cells = inCells.slice(i, i + grid.across).map((m) => cellOf(m, view, grid, nowMs, style))
    lines.push(...joinCells(cells, grid))
  }
  if (grid.height > 0) lines.push(...listFailed(view, columns, style))
  return lines.length <= size.rows ? lines : [...lines.slice(0, size.rows - 1), style.dim('…')]
}

/** Failures of a layer that has ended have a line per reason, and no cell. */
function isFolded({ status }: MemberView, { endMs }: LayerView): boolean {
  return endMs !== undefined && status === 'failed'
}

const MAX_LINES = 3

/** Draws the failures: `✗ 2, 4  timeout: no answer within 60 s`, equal ones in one line. */
function listFailed(view: LayerView, columns: number, style: Style): string[] {
  const failed = view.members.filter((member) => isFolded(member, view))
  const groups = Map.groupBy(failed, ({ note, text }) => `${note ?? 'failed'}: ${text}`)
  return [...groups].flatMap(([reason, members]) => {
    const numbers = listNumbers(members.map(({ index }) => index))
    const short = sanitize(reason.slice(0, 4 * columns)).replace(/\s+/g, ' ')
    const lines = wrap(`✗ ${numbers}  ${short}`, columns)
    return lines.slice(0, MAX_LINES).map((line) => style.bad(line))
  })
}

/** Fits as many readable cells side by side as the columns allow, and makes them as high as the rows allow. */
function layOut(view: LayerView, columns: number, rows: number): Grid {
  const { endMs } = view
  const members = view.members.filter((member) => !isFolded(member, view))
  if (members.length === 0)
    return { across: 1, width: columns, height: rows > 1 && columns >= MIN_CELL ? 1 : 0 }
  const fitting = Math.max(1, Math.floor((columns + GAP) / (MIN_CELL + GAP)))
  const down = Math.ceil(members.length / Math.min(fitting, members.length))
  const across = Math.ceil(members.length / down)
  const width = Math.min(MAX_CELL, Math.floor((columns + GAP) / across) - GAP)
  const room = Math.floor(rows / down) - 1
  const wanted = endMs === undefined ? MAX_HEIGHT : down === 1 ? 5 : 3
  const height = Math.min(room, wanted)
  return { across, width, height: columns < MIN_CELL ? 0 : Math.max(0, height) }
}

/** Draws one line with a layer's progress. */
export function headingOf(view: LayerView, columns: number, nowMs: number, style: Style): string {
  const { title, members, startMs, endMs } = view
  const done = members.filter((m) => m.status === 'done').length
  const tokens = members.reduce((sum, m) => sum + m.tokens, 0)
  const seconds = ((endMs ?? nowMs) - startMs) / 1000
  const isPart = endMs === undefined || done < members.length
  const count = members.length === 1 ? '' : isPart ? `${done} of ${members.length} · ` : `${done} · `
  const facts = `${count}${showCount(tokens, 'token')} · ${seconds.toFixed(1)} s${waitOf(view, nowMs)}`
  const mark = endMs === undefined ? style.accent(spin(nowMs)) : markOf(members, style)
  const room = columns - 2
  if (room < title.length + 3 + facts.length) return `${mark} ${style.bold(cutEnd(title, room))}`
  return `${mark} ${style.bold(title)}   ${style.dim(facts)}`
}

/** What the layer waits for: the next attempt of a completion, or its stragglers. */
function waitOf({ members, endMs, graceEndMs }: LayerView, nowMs: number): string {
  if (endMs !== undefined) return ''
  const next = members.find((m) => m.status === 'waiting' && m.untilMs !== undefined)
  if (next?.untilMs !== undefined)
    return ` · ${sanitize(next.note ?? '')}: again in ${left(next.untilMs, nowMs)}`
  return graceEndMs === undefined ? '' : ` · waits ${left(graceEndMs, nowMs)} for the others`
}

function left(untilMs: number, nowMs: number): string {
  return `${Math.max(0, Math.ceil((untilMs - nowMs) / 1000))} s`
}

function markOf(members: MemberView[], style: Style): string {
  const done = members.filter(({ status }) => status === 'done').length
  if (done === members.length) return style.good('✓')
  if (members.some(({ status }) => status === 'stopped')) return style.warn('■')
  return done === 0 ? style.bad('✗') : style.warn('!')
}

/** Draws a member: `── 1 smollm2 ───── ✓ 128 ──`, then its text. */
function cellOf(member: MemberView, view: LayerView, grid: Grid, nowMs: number, style: Style): string[] {
  const { text: mark, paint } = statusOf(member, view, nowMs, style)
  const status = cutEnd(mark, grid.width - 10)
  const areMany = new Set(view.members.map((m) => m.engine)).size > 1
  const room = grid.width - widthOf(status) - 9
  const name = areMany ? ` ${cutStart(sanitize(member.engine), room - 2)}` : ''
  const label = cutEnd(`${member.index + 1}${name}`, room)
  const filling = '─'.repeat(Math.max(1, grid.width - widthOf(label) - widthOf(status) - 8))
  const rule = style.dim('──')
  const top = `${rule} ${label} ${style.dim(filling)} ${paint(status)} ${rule}`
  const isQuiet = view.endMs !== undefined || member.status === 'thinking' || member.status === 'failed'
  return [top, ...textOf(member, grid).map((line) => (isQuiet && line ? style.dim(line) : line))]
}

/** Returns the end of a text that is still growing, or the beginning of a complete one. */
function textOf({ text, status }: MemberView, { width, height }: Grid): string[] {
  const isEnded = status === 'done' || status === 'failed'
  const part = isEnded ? text.slice(0, 4 * width * height) : lastParagraphs(text, 2 * width * height)
  const lines = wrap(sanitize(part).trim(), width).filter((line, i, all) => line !== '' || all[i - 1] !== '')
  if (!isEnded) return lines.slice(-height)
  if (lines.length <= height && part.length === text.length) return lines
  const last = `${lines[height - 1] ?? ''}…`
  return [...lines.slice(0, height - 1), cutEnd(last, width)]
}

/** Returns at least the last `length` characters. It starts at a paragraph, so that lines always break at the same places. */
function lastParagraphs(text: string, length: number): string {
  return text.slice(text.lastIndexOf('\n', text.length - length) + 1)
}

function joinCells(cells: string[][], { width }: Grid): string[] {
  const height = Math.max(...cells.map((cell) => cell.length))
  return Array.from({ length: height }, (_, row) => {
    const parts = cells.map((cell) => padStyled(cell[row] ?? '', width))
    return parts.join(' '.repeat(GAP)).trimEnd()
  })
}

function listMembers(view: LayerView, columns: number, nowMs: number, style: Style): string[] {
  return view.members.map((member) => {
    const { text: status, paint } = statusOf(member, view, nowMs, style)
    const number = `${member.index + 1}`
    const label = `${number} ${cutEnd(status, Math.max(1, columns - 3))}`
    const text = sanitize(member.text).replace(/\s+/g, ' ').trim()
    const room = columns - widthOf(label) - 2
    const shown = member.status === 'done' ? cutEnd(text, room) : cutStart(text, room)
    return `${number} ${paint(label.slice(number.length + 1))}  ${style.dim(shown)}`.trimEnd()
  })
}

function statusOf(member: MemberView, view: LayerView, nowMs: number, style: Style) {
  const { status, tokens, completion, note } = member
  if (status === 'failed') return { text: `✗ ${sanitize(note ?? 'failed')}`, paint: style.bad }
  if (completion?.excluded)
    return {
      text: `✗ ${completion.excluded === 'schema' ? 'breaks the schema' : completion.excluded}`,
      paint: style.warn,
    }
  if (status === 'done')
    return { text: `✓ ${completion?.finishReason === 'length' ? 'cut at ' : ''}${tokens}`, paint: style.good }
  if (status === 'stopped') return { text: `■ stopped ${tokens || ''}`.trimEnd(), paint: style.warn }
  if (view.endMs !== undefined) return { text: '✗ missing', paint: style.bad }
  const again = note ? '↻ ' : ''
  if (status === 'waiting' && member.untilMs !== undefined)
    return { text: `↻ in ${left(member.untilMs, nowMs)}`, paint: style.warn }
  if (status === 'waiting') return { text: `${again}waiting`, paint: style.dim }
  return {
    text: `${again}${spin(nowMs)} ${status === 'thinking' ? 'thinking ' : ''}${tokens}`,
    paint: style.accent,
  }
}
