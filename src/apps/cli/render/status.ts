/** One line on standard error that changes while work is under way. */
import type { WriteStream } from 'node:tty'
import { spin } from './frame.ts'
import { createPainter } from './painter.ts'
import { sanitize } from './sanitize.ts'
import { makeStyle, type Style } from './style.ts'
import { cutEnd } from './text.ts'

/** The line at a moment, at most `columns` wide. */
export type Line = (nowMs: number, columns: number, style: Style) => string

export interface StatusLine {
  /** Shows what this returns; it is called ten times per second. */
  show(line: Line): void
  /** Writes a line that stays, above the one that changes. */
  writeAbove(text: string): void
  close(): void
}

/** Progress of a model's download; `label` names the phase, and bytes count within the phase. */
export interface PullProgress {
  label: string
  receivedBytes: number
  totalBytes: number
}

/** Shows nothing if the stream is no terminal, or one that cannot move its cursor. */
export function createStatusLine(stream: WriteStream): StatusLine {
  const write = (text: string) => void stream.write(`${text}\n`)
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

/** `⠋ opening smollm2` */
export function waitingLine(what: string): Line {
  return (nowMs, columns, style) =>
    `${style.accent(spin(nowMs))} ${style.dim(cutEnd(sanitize(what), columns - 2))}`
}
