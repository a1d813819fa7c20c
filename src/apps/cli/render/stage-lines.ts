/** Writes the progress of `ask` to a standard error that is not a terminal: one line per stage. */

import type { Plan } from '../../../core/plan.ts'
import type { AftEvent, Result } from '../../../core/result.ts'
import { foldNotes } from '../../../plans/notes.ts'
import type { AskStatus } from './ask-status.ts'
import { sanitize } from './sanitize.ts'

/** Makes the status of one answer as lines. @param write gets each line, without a line break */
export function createStageLines(plan: Plan, write: (line: string) => void): AskStatus {
  const startMs = performance.now()
  const pulled = new Set<string>()
  const told = new Set<string>()
  const fold = foldNotes((text) => write(sanitize(text)))
  const note = (event: AftEvent) => {
    if (event.type !== 'request-changed') return fold(event)
    if (!told.has(event.reason)) write(`warning: ${sanitize(event.reason)}`)
    told.add(event.reason)
  }
  return {
    pull({ label, totalBytes }) {
      if (pulled.has(label)) return
      pulled.add(label)
      write(`downloading: ${sanitize(label)}, ${(totalBytes / 1e6).toFixed(0)} MB`)
    },
    event(event) {
      if (event.type === 'layer-start') write(stageOf(plan, event))
      note(event)
      if (event.type === 'answer') write(`done: ${costOf(event.result, performance.now() - startMs)}`)
    },
    told,
    close() {},
  }
}

/** Describes a stage: `proposing: 3 drafts with smollm2`, `aggregating: the answer with smollm2`. */
function stageOf(plan: Plan, { layer, width, isLast }: Extract<AftEvent, { type: 'layer-start' }>): string {
  const { voices, see } = plan.layers[layer] ?? {}
  const engines = voices?.map(({ engine }) => engine) ?? []
  const by = ` with ${sanitize([...new Set(engines)].join(', '))}`
  if (!voices)
    return typeof plan.choose === 'object' ? `judging with ${sanitize(plan.choose.judge)}` : 'choosing'
  const drafts = width === 1 ? '1 draft' : `${width} drafts`
  if (see === 'nothing') return isLast && width === 1 ? `answering${by}` : `proposing: ${drafts}${by}`
  return `aggregating: ${isLast && width === 1 ? 'the answer' : drafts}${by}`
}

function costOf({ layers, usage, finishReason }: Result, ms: number): string {
  const completions = layers.reduce((sum, layer) => sum + layer.completions.length, 0)
  const count = (n: number, noun: string) => `${n} ${noun}${n === 1 ? '' : 's'}`
  const calls = `${count(completions, 'completion')} in ${count(usage.calls, 'call')}`
  const cut = finishReason === 'length' ? '; the answer is cut (--max-tokens)' : ''
  return `${calls}, ${count(usage.outputTokens, 'token')}, ${(ms / 1000).toFixed(1)} s${cut}`
}
