/** Shows the progress of one answer on standard error: opening, download, then each layer. */
import type { WriteStream } from 'node:tty'
import { enginesOf, type Plan } from '../../../core/plan.ts'
import type { AftEvent } from '../../../core/result.ts'
import { pullLine } from '../progress.ts'
import { headingOf } from './frame.ts'
import { applyEvent, type LayerView, startLayer } from './state.ts'
import { createStatusLine, type PullProgress, waitingLine } from './status.ts'

/** The status of one answer. */
export interface AskStatus {
  pull(progress: PullProgress): void
  event(event: AftEvent): void
  /** Warnings that were written already. */
  told?: ReadonlySet<string>
  close(): void
}

/** Makes a status line that changes on a terminal. */
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
