/** The progress line of every command: a bar with facts on a terminal, a plain line every ten seconds in a pipe. */
import type { WriteStream } from 'node:tty'
import { createStatusLine, type Line, type PullProgress } from './render/status.ts'
import { inLocale, type Style } from './render/style.ts'
import { cutEnd, widthOf } from './render/text.ts'

/** The content of the line at one time. */
export interface ProgressView {
  /** Finished share of the work, 0 to 1. */
  share: number
  /** Such as `12 of 20 answered · 3.2/s · 0:25 left`. */
  facts: string
}

/** A progress line on the screen. */
export interface Progress<State> {
  /** Shows the download of a model's file. */
  pull(progress: PullProgress): void
  /** Shows a new state. It may be the same object, changed. The time runs from the first update. */
  update(state: State): void
  /** Writes a permanent line. */
  writeAbove(text: string): void
  /** Removes the progress line. */
  close(): void
}

const LINE_MS = 10_000
const BAR = 24
const LEAST_BAR = 8
const LEAST_FACTS = 28

/** Makes a progress line. @param view returns what to show for a state, `elapsedMs` after the first one */
export function createProgress<State>(
  stream: WriteStream,
  view: (state: State, elapsedMs: number) => ProgressView,
): Progress<State> {
  const line = createStatusLine(stream)
  const pulls = createPullProgress(stream)
  let timer: NodeJS.Timeout | undefined
  let latest: State
  let startMs: number | undefined
  const start = () => {
    const beginMs = performance.now()
    startMs = beginMs
    pulls.close()
    const viewNow = () => view(latest, performance.now() - beginMs)
    if (stream.isTTY) line.show((_, columns, style) => drawProgress(viewNow(), columns, style))
    else timer = setInterval(() => stream.write(inLocale(`${viewNow().facts}\n`)), LINE_MS).unref()
  }
  return {
    pull: pulls.update,
    update(state) {
      latest = state
      if (startMs === undefined) start()
    },
    writeAbove: line.writeAbove,
    close() {
      clearInterval(timer)
      pulls.close()
      line.close()
    },
  }
}

/** Makes the progress of a download: a bar on a terminal, or one line per quarter of a file in a pipe. */
export function createPullProgress(stream: WriteStream): {
  update(progress: PullProgress): void
  close(): void
} {
  const line = createStatusLine(stream)
  const startMs = new Map<string, number>()
  const written = new Set<string>()
  return {
    update(progress) {
      const { label, receivedBytes, totalBytes } = progress
      const nowMs = performance.now()
      if (!startMs.has(label)) startMs.set(label, nowMs)
      if (stream.isTTY) return line.show(pullLine({ ...progress, startMs: startMs.get(label) ?? nowMs }))
      const text = `${label}: ${Math.floor((4 * receivedBytes) / totalBytes) * 25} %`
      if (!written.has(text)) stream.write(`${text}\n`)
      written.add(text)
    },
    close: () => line.close(),
  }
}

/** Draws `━━━━━━━━────────  smollm2 from the model hub · 43 of 98 MB · 12.1 MB/s · 0:05 left`. */
export function pullLine({
  label,
  receivedBytes,
  totalBytes,
  startMs,
}: PullProgress & { startMs: number }): Line {
  const megabytes = (bytes: number) => (bytes / 1e6).toFixed(0)
  return (nowMs, columns, style) => {
    const elapsedMs = Math.max(100, nowMs - startMs)
    const facts = joinFacts([
      label,
      `${megabytes(receivedBytes)} of ${megabytes(totalBytes)} MB`,
      `${(receivedBytes / 1e3 / elapsedMs).toFixed(1)} MB/s`,
      describeLeft(receivedBytes, totalBytes - receivedBytes, elapsedMs),
    ])
    return drawProgress({ share: receivedBytes / totalBytes, facts }, columns, style)
  }
}

/** Draws the bar and the facts. On a narrow terminal the bar is short, or absent. */
export function drawProgress({ share, facts }: ProgressView, columns: number, style: Style): string {
  const length = Math.min(BAR, Math.max(LEAST_BAR, columns - widthOf(facts) - 2))
  if (columns < length + LEAST_FACTS) return cutEnd(facts, columns)
  const full = Math.min(length, Math.floor(length * share))
  const bar = style.accent('━'.repeat(full)) + style.dim('─'.repeat(length - full))
  return `${bar}  ${cutEnd(facts, columns - length - 2)}`
}

/** Joins facts in one line. Absent ones are skipped. */
export function joinFacts(facts: (string | false | undefined)[]): string {
  return facts.filter(Boolean).join(' · ')
}

/** Writes `0:25 left`, by the speed so far; undefined before an item is done. */
export function describeLeft(doneNow: number, remaining: number, elapsedMs: number): string | undefined {
  if (doneNow <= 0) return undefined
  return `${showTime((Math.max(0, remaining) * elapsedMs) / doneNow)} left`
}

/** Writes a time as `M:SS` or `H:MM:SS`. */
export function showTime(ms: number): string {
  const seconds = Math.round(ms / 1000)
  const two = (n: number) => String(n).padStart(2, '0')
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60]
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`
}
