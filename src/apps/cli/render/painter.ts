/** Repaints a block of lines at the end of the terminal's output. Permanent output is above it. */
import type { WriteStream } from 'node:tty'
import { inLocale, styledWidth } from './style.ts'

/** Paints the block. */
export interface Painter {
  /** Replaces the block. Lines must be narrower than the terminal, and fewer than its rows. */
  paint(lines: string[]): void
  /** Removes the block, so that other output can be written. */
  clear(): void
  /** Shows the cursor again, and removes the block or leaves it on the screen. */
  close(what?: 'clear' | 'leave'): void
}

const CSI = '\x1b['
const beginUpdate = `${CSI}?2026h`
const endUpdate = `${CSI}?2026l`
const hideCursor = `${CSI}?25l`
const showCursor = `${CSI}?25h`
const eraseLine = `${CSI}2K`
const eraseBelow = `${CSI}J`
const up = (rows: number) => (rows > 0 ? `\r${CSI}${rows}A` : '\r')

/** Makes a painter. It writes only changed lines, in one synchronized update (other terminals ignore the marks). */
export function createPainter(stream: Pick<WriteStream, 'write' | 'columns'>): Painter {
  let shown: string[] = []
  let columns = stream.columns
  let isHidden = false
  const restore = () => {
    if (isHidden) stream.write(showCursor)
    isHidden = false
  }
  /** Counts the rows of the block. If the terminal became narrower, it has wrapped the lines. */
  const rowsShown = () => {
    if (stream.columns >= columns) return shown.length
    return shown.reduce((sum, line) => sum + Math.max(1, Math.ceil(styledWidth(line) / stream.columns)), 0)
  }
  const draw = (lines: string[]) => {
    const isResized = stream.columns !== columns
    let out = up(rowsShown())
    if (isResized) out += eraseBelow
    for (const [i, line] of lines.entries())
      out += !isResized && shown[i] === line ? '\n' : `${eraseLine}${line}\n`
    if (lines.length < shown.length) out += eraseBelow
    columns = stream.columns
    shown = lines
    return out
  }
  /** Handles Ctrl-Z: shows the cursor for the shell. After resuming, the block is painted again at the end of the output. */
  const suspend = () => {
    restore()
    shown = []
    process.kill(process.pid, 'SIGSTOP')
  }
  const hide = () => {
    if (isHidden) return ''
    isHidden = true
    return hideCursor
  }
  process.on('exit', restore)
  if (process.platform !== 'win32') process.on('SIGTSTP', suspend)
  return {
    paint(lines) {
      stream.write(beginUpdate + hide() + draw(lines.map(inLocale)) + endUpdate)
    },
    clear() {
      if (shown.length > 0) stream.write(draw([]))
    },
    close(what = 'clear') {
      if (what === 'clear') this.clear()
      shown = []
      restore()
      process.off('exit', restore)
      process.off('SIGTSTP', suspend)
    },
  }
}
