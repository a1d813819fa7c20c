/** Answers one prompt of a run, and records what happens as lines of the journal. */
import { answerPrompt } from '../core/aft.ts'
import type { Host } from '../core/host.ts'
import type { Plan } from '../core/plan.ts'
import { describeError } from '../core/provider/errors.ts'
import type { AftEvent, Result } from '../core/result.ts'
import type { AnswerRecord } from '../files/journal-records.ts'
import type { PromptRow } from '../files/prompts.ts'
import { layersOf, type PromptLine } from '../files/run-journal.ts'
import type { Job } from '../lib/resumable-map.ts'
import { withOwnSettings } from '../plans/own-settings.ts'
import { answerInForm } from './form/answer.ts'
import { resumeFrom } from './replay.ts'

/**
 * Answers a prompt, or resumes it. Its completions are recorded as they come; its last line is returned.
 * @param onEvent gets every event but deltas
 * @throws the signal's reason; any other error is recorded in the last line
 */
export async function answerRow(
  row: PromptRow,
  plan: Plan,
  host: Pick<Host, 'engines' | 'template' | 'clock' | 'priority'>,
  job: Job<PromptLine>,
  onEvent?: (event: AftEvent) => void,
): Promise<AnswerRecord> {
  const { key: prompt, recorded, signal } = job
  const emit = (event: AftEvent) => {
    const line = lineOf(prompt, event)
    if (line) job.record(line)
    onEvent?.(event)
  }
  try {
    const own = withOwnSettings(plan, row.own)
    // What the journal holds was checked before it was recorded.
    const run = (checked: Host) => answerPrompt(row, own, resumeFrom(checked, layersOf(recorded)))
    return endOf(
      prompt,
      await answerInForm(row, own, { ...host, signal, emit, endsOnly: () => true, endsEarly: true }, { run }),
    )
  } catch (error) {
    signal.throwIfAborted()
    return { type: 'answer', prompt, error: describeError(error) }
  }
}

function lineOf(prompt: string, event: AftEvent): PromptLine | undefined {
  if (event.type === 'completion-end') {
    return { type: 'completion', prompt, layer: event.layer, ...event.completion }
  }
  if (event.type === 'completion-failed') {
    return { type: 'failure', prompt, layer: event.layer, ...event.failure }
  }
  if (event.type === 'completion-usage') {
    const { isNew, completion } = event
    const { index, engine, seed, usage } = completion
    const line = { type: 'usage' as const, prompt, layer: event.layer, index, engine, seed, usage }
    return isNew ? { ...line, completion } : line
  }
  if (event.type === 'layer-end') return { type: 'layer', prompt, layer: event.layer, shown: event.shown }
  return undefined
}

function endOf(prompt: string, result: Result): AnswerRecord {
  const { answer, finishReason, toolCalls, degraded, degradedBecause, warnings, usage, ms } = result
  return {
    type: 'answer',
    prompt,
    answer,
    finishReason,
    ...(toolCalls && { toolCalls }),
    degraded,
    ...(degradedBecause && { degradedBecause }),
    ...(warnings && { warnings }),
    usage,
    ms,
  }
}
