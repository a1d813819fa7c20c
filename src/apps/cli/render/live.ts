/** Shows an answer on a terminal: the members of each layer side by side, then the answer as it grows. */
import type { WriteStream } from 'node:tty'
import type { Plan } from '../../../core/plan.ts'
import { listMissing } from '../../../core/provider/gaps.ts'
import type { AftEvent, Result } from '../../../core/result.ts'
import { createTextWriter, type TextWriter } from './answer.ts'
import { frameOf, headingOf } from './frame.ts'
import { createMarkdownWriter } from './markdown.ts'
import { createPainter, type Painter } from './painter.ts'
import { sanitize } from './sanitize.ts'
import { applyEvent, isAnswerLayer, isOpen, type LayerView, startLayer } from './state.ts'
import { inLocale, makeStyle, type Style } from './style.ts'
import { summaryOf } from './summary.ts'
import { wrap } from './text.ts'

const FRAME_MS = 100

/** Shows the events of one prompt. Always close it, after errors too: it hides the cursor. */
export class LiveView {
  readonly #plan: Plan
  readonly #stream: WriteStream
  readonly #style: Style
  readonly #painter: Painter
  readonly #writer: TextWriter
  readonly #timer: NodeJS.Timeout
  /** True if the terminal cannot move its cursor. It gets each layer once, at the layer's end. */
  readonly #isDumb = process.env.TERM === 'dumb'
  readonly #warned = new Set<string>()
  #layer: LayerView | undefined
  /** Number of the answer's characters on the screen; undefined before its first word. */
  #written: number | undefined

  constructor(plan: Plan, stream: WriteStream) {
    this.#plan = plan
    this.#stream = stream
    this.#style = makeStyle(stream.hasColors())
    this.#painter = createPainter(stream)
    const write = (text: string) => stream.write(text)
    const columns = () => this.#columns
    // Without colors the marks are all that shows what is bold.
    this.#writer = stream.hasColors()
      ? createMarkdownWriter(write, columns, this.#style)
      : createTextWriter(write, columns)
    this.#timer = setInterval(() => this.#paint(), FRAME_MS).unref()
  }

  event(event: AftEvent): void {
    const now = performance.now()
    if (event.type === 'layer-start') this.#layer = startLayer(this.#plan, event, now)
    const layer = this.#layer
    if (event.type === 'request-changed') this.#warn([event.reason], 'warning')
    if (!layer || event.type === 'answer') return
    applyEvent(layer, event, now)
    if (isAnswerLayer(layer)) this.#followAnswer(event)
    else if (event.type === 'layer-end') this.#endLayer(layer)
  }

  /** Writes the rest of the answer, and a line that says what it took. `ms` is the time since the start. */
  end(result: Result, ms: number): void {
    this.#warn(result.degradedBecause ?? [])
    this.#warn(result.warnings ?? [], 'warning')
    const { layer, index } = result.from
    if (this.#written === undefined) this.#write(result.answer, `layer ${layer + 1}, completion ${index + 1}`)
    this.#writer.end()
    const lines = wrap(sanitize(summaryOf(result, ms)), this.#columns)
    this.#print(['', ...lines.map(this.#style.dim)])
  }

  /** Leaves what was written on the screen, with a line that says what it cost. */
  stop(cost: string): void {
    const layer = this.#layer
    if (this.#written !== undefined) this.#writer.end()
    else if (layer && layer.endMs === undefined && !isAnswerLayer(layer)) {
      layer.endMs = performance.now()
      for (const member of layer.members) if (isOpen(member)) member.status = 'stopped'
      this.#print(frameOf(layer, this.#frameSize(layer), layer.endMs, this.#style))
    }
    this.#layer = undefined
    this.#print(['', ...wrap(sanitize(cost), this.#columns).map(this.#style.warn)])
  }

  close(): void {
    clearInterval(this.#timer)
    if (this.#written !== undefined) this.#writer.end()
    this.#paint()
    this.#painter.close('leave')
  }

  get #columns(): number {
    return (this.#stream.columns || 80) - 1
  }

  #paint(): void {
    if (!this.#layer || this.#layer.endMs || this.#written !== undefined || this.#isDumb) return
    const now = performance.now()
    const { columns, rows } = this.#stream
    const isWaiting = isAnswerLayer(this.#layer) && this.#layer.members[0]?.status !== 'thinking'
    this.#painter.paint(
      isWaiting
        ? [headingOf(this.#layer, this.#columns, now, this.#style)]
        : frameOf(this.#layer, { columns, rows: rows - 1 }, now, this.#style),
    )
  }

  #endLayer(layer: LayerView): void {
    this.#print([...frameOf(layer, this.#frameSize(layer), performance.now(), this.#style), ''])
    const completions = layer.members.flatMap((m) => m.completion ?? [])
    // The frame names them already.
    for (const reason of listMissing({ completions, failures: layer.failures }, layer.layer))
      this.#warned.add(reason)
  }

  #frameSize({ members }: LayerView) {
    const rows = this.#isDumb ? members.length + 1 : this.#stream.rows - 1
    return { columns: this.#stream.columns || 80, rows }
  }

  /** Writes the answer word by word. If a text is discarded later, it stays on the screen, with a line that says so. */
  #followAnswer(event: AftEvent): void {
    if (event.type === 'completion-delta') this.#write(event.text)
    if (event.type === 'completion-end') this.#write(event.completion.text.slice(this.#written ?? 0))
    if (event.type === 'completion-end' && event.completion.excluded === 'runaway')
      this.#void('repeats itself')
    if (event.type === 'completion-restarted') this.#void(`starts again: ${event.reason}`)
    if (event.type === 'completion-failed' && event.failure.error.kind !== 'aborted')
      this.#void(`failed: ${event.failure.error.message}`)
  }

  /** Writes text of the answer. `from` names the completion that became the answer, if it was not streamed. */
  #write(text: string, from?: string): void {
    if (text === '') return
    if (this.#written === undefined) {
      const title = from === undefined ? 'answer' : `answer: ${from}`
      const filling = '─'.repeat(Math.max(0, this.#columns - title.length - 4))
      this.#painter.close()
      const heading = `${this.#style.dim('──')} ${this.#style.bold(title)} ${this.#style.dim(filling)}\n`
      this.#stream.write(inLocale(heading))
    }
    this.#written = (this.#written ?? 0) + text.length
    this.#writer.push(text)
  }

  #void(why: string): void {
    if (this.#written !== undefined) this.#writer.end()
    this.#written = undefined
    const lines = wrap(sanitize(`✗ ${why}`), this.#columns)
    this.#print([...lines.map(this.#style.warn), ''])
  }

  #warn(reasons: string[], label = 'degraded'): void {
    const fresh = reasons.filter((reason) => !this.#warned.has(reason))
    for (const reason of fresh) this.#warned.add(reason)
    const lines = fresh.flatMap((reason) => wrap(sanitize(`${label}: ${reason}`), this.#columns))
    if (lines.length > 0) this.#print([...lines.map(this.#style.warn), ''])
  }

  #print(lines: string[]): void {
    this.#painter.clear()
    this.#stream.write(inLocale(`${lines.join('\n')}\n`))
  }
}
