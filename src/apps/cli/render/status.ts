/** Shows one line on standard error that changes while work is done. */
import type { WriteStream } from 'node:tty'
import { spin } from './frame.ts'
import { createPainter } from './painter.ts'
import { sanitize } from './sanitize.ts'
import { inLocale, makeStyle, type Style } from './style.ts'
import { cutEnd } from './text.ts'

/** Returns the line at a time, at most `columns` wide. */
export type Line = (nowMs: number, columns: number, style: Style) => string

/** A line that changes. */
export interface StatusLine {
  /** Shows the line that this function returns. The function is called ten times per second. */
  show(line: Line): void
  /** Writes a permanent line above the one that changes. */
  writeAbove(text: string): void
  close(): void
}

/** Progress of a model's download; `label` names the phase, and bytes count within the phase. */
export interface PullProgress {
  label: string
  receivedBytes: number
  totalBytes: number
}

/** Makes a status line. It shows nothing if the stream is not a terminal that can move its cursor. */
export function createStatusLine(stream: WriteStream): StatusLine {
  const write = (text: string) => void stream.write(inLocale(`${text}\n`))
  if (!stream.isTTY || process.env.TERM === 'dumb') return { show() {}, writeAbove: write, close() {} }
  const style = makeStyle(stream.hasColors())
  const painter = createPainter(stream)
  let timer: NodeJS.Timeout | undefined
  return {
    show(line) {
      clearInterval(timer)
      const paint = () => painter.paint([line(performance.now(), stream.columns - 1, style)])
      paint()
      timer = setInterval(paint, 100).unref()
    },
    writeAbove(text) {
      painter.clear()
      write(text)
    },
    close() {
      clearInterval(timer)
      painter.close()
    },
  }
}

/** Makes a line that waits, such as `⠋ opening smollm2`. */
export function waitingLine(what: string): Line {
  return (nowMs, columns, style) =>
    `${style.accent(spin(nowMs))} ${style.dim(cutEnd(sanitize(what), columns - 2))}`
}
