/** One line on standard error while something is under way: a model that is opened or pulled, a layer at work. */
import type { WriteStream } from 'node:tty'
import { enginesOf, type Plan } from '../../../core/plan.ts'
import type { AftEvent } from '../../../core/result.ts'
import { headingOf, spin } from './frame.ts'
import { createPainter } from './painter.ts'
import { sanitise } from './sanitize.ts'
import { applyEvent, type LayerView, startLayer } from './state.ts'
import { makeStyle, type Style } from './style.ts'
import { cutEnd, widthOf } from './text.ts'

/** A line at a time, at most `columns` wide. */
export type Line = (nowMs: number, columns: number, style: Style) => string

export interface StatusLine {
  /** From now on the line is what this gives, asked for ten times a second. */
  show(line: Line): void
  close(): void
}

/** How far the pull of a model's file is; `label` names the phase, bytes are those of the phase. */
export interface PullProgress {
  label: string
  receivedBytes: number
  totalBytes: number
}

export interface AskStatus {
  pull(progress: PullProgress): void
  event(event: AftEvent): void
  close(): void
}

/** Says nothing where the stream is no terminal, or one that cannot move its cursor. */
export function createStatusLine(stream: WriteStream): StatusLine {
  if (!stream.isTTY || process.env.TERM === 'dumb') return { show() {}, close() {} }
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
    close() {
      clearInterval(timer)
      painter.close()
    },
  }
}

/** The status of one answer: opening, pulling, then layer by layer. */
export function createAskStatus(plan: Plan, stream: WriteStream): AskStatus {
  const line = createStatusLine(stream)
  const startedMs = new Map<string, number>()
  let layer: LayerView | undefined
  line.show(waitingLine(`opening ${enginesOf(plan).join(', ')}`))
  return {
    pull(progress) {
      const nowMs = performance.now()
      if (!startedMs.has(progress.label)) startedMs.set(progress.label, nowMs)
      line.show(pullLine({ ...progress, startMs: startedMs.get(progress.label) ?? nowMs }))
    },
    event(event) {
      const nowMs = performance.now()
      if (event.type === 'layer-start') {
        const view = startLayer(plan, event, nowMs)
        layer = view
        line.show((now, columns, style) => headingOf(view, columns, now, style))
      }
      if (layer) applyEvent(layer, event, nowMs)
    },
    close: () => line.close(),
  }
}

/** `⠋ opening smollm2` */
export function waitingLine(what: string): Line {
  return (nowMs, columns, style) =>
    `${style.accent(spin(nowMs))} ${style.dim(cutEnd(sanitise(what), columns - 2))}`
}

const BAR = 24

/** `smollm2 from the model hub  ━━━━━━━━────────  43 of 98 MB · 12.1 MB/s · 5 s left`, or what of it fits. */
export function pullLine({
  label,
  receivedBytes,
  totalBytes,
  startMs,
}: PullProgress & { startMs: number }): Line {
  const megabytes = (bytes: number) => (bytes / 1e6).toFixed(0)
  const size = `${megabytes(receivedBytes)} of ${megabytes(totalBytes)} MB`
  return (nowMs, columns, style) => {
    const share = Math.min(1, receivedBytes / totalBytes)
    const seconds = Math.max(0.1, (nowMs - startMs) / 1000)
    const rate = `${(receivedBytes / 1e6 / seconds).toFixed(1)} MB/s`
    const left = share > 0 ? [`${Math.ceil((seconds * (1 - share)) / share)} s left`] : []
    const facts = [size, rate, ...left].join(' · ')
    const full = Math.round(BAR * share)
    const bar = style.accent('━'.repeat(full)) + style.dim('─'.repeat(BAR - full))
    if (widthOf(label) + BAR + widthOf(facts) + 4 <= columns) return `${label}  ${bar}  ${style.dim(facts)}`
    return cutEnd(`${label} ${size}`, columns)
  }
}
