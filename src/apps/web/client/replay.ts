/** Plays a prompt of a journal again, as the events that there were. It takes the times of the journal, or none. */
import type { AftEvent, Result } from '../../../core/result.ts'
import { findAnswer, type JournalPrompt } from '../../../files/journal-prompts.ts'
import type { HeaderRecord } from '../../../files/journal-records.ts'

/** What a reader of an example must know. */
export const ABOUT_DEMO =
  'An example without a model: a person wrote the question, the proposals and the answer. Times and tokens are made up, too.'

/** An event, and when it happened: milliseconds after the start. */
export interface TimedEvent {
  atMs: number
  event: AftEvent
}

/** Lists the events of a prompt in order; the answer is the last. A prompt that failed has none. */
export function eventsOf(prompt: JournalPrompt, { plan, template }: HeaderRecord): TimedEvent[] {
  const events: TimedEvent[] = []
  let startMs = 0
  for (const [layer, { completions, failures, shown }] of prompt.layers.entries()) {
    const members = [...completions, ...failures]
    const width = Math.max(...members.map(({ index }) => index)) + 1
    const isLast = layer === plan.layers.length - 1
    events.push({ atMs: startMs, event: { type: 'layer-start', layer, width, isLast } })
    const inLayer = [
      ...completions.flatMap((completion) => {
        const pieces = deltasOf(completion.text, completion.ms).map(({ atMs, text }): TimedEvent => {
          const { index } = completion
          return { atMs: startMs + atMs, event: { type: 'completion-delta', layer, index, text } }
        })
        const end: AftEvent = { type: 'completion-end', layer, completion }
        return [...pieces, { atMs: startMs + completion.ms, event: end }]
      }),
      ...failures.map((failure): TimedEvent => {
        return { atMs: startMs + failure.ms, event: { type: 'completion-failed', layer, failure } }
      }),
    ]
    events.push(...inLayer.sort((a, b) => a.atMs - b.atMs))
    startMs += Math.max(...members.map(({ ms }) => ms))
    events.push({ atMs: startMs, event: { type: 'layer-end', layer, shown: shown ?? [] } })
  }
  const result = resultOf(prompt, { plan, template })
  if (result) events.push({ atMs: startMs, event: { type: 'answer', result } })
  return events
}

/** The words of a text, spread over its time after a pause for reading. */
function deltasOf(text: string, ms: number): { atMs: number; text: string }[] {
  const words = text.match(/\S+\s*/g) ?? []
  const pauseMs = ms / 4
  return words.map((word, i) => ({ atMs: pauseMs + ((ms - pauseMs) * i) / words.length, text: word }))
}

/** The result of a prompt, from its lines; undefined without an answer. */
function resultOf(
  prompt: JournalPrompt,
  { plan, template }: Pick<HeaderRecord, 'plan' | 'template'>,
): Result | undefined {
  const { end, layers } = prompt
  const found = findAnswer(prompt, plan.layers.length)
  if (!end || !('answer' in end) || !found) return undefined
  const { answer, degraded, degradedBecause, usage, ms } = end
  const from = { layer: found.layer, index: found.completion.index }
  const { finishReason } = found.completion
  return { answer, finishReason, from, degraded, degradedBecause, layers, usage, ms, plan, template }
}

/** Passes the events on at their times. @param speed 2 is twice as fast, Infinity waits for nothing @throws the signal's reason */
export async function play(
  events: TimedEvent[],
  onEvent: (event: AftEvent) => void,
  { speed = 1, signal }: { speed?: number; signal?: AbortSignal } = {},
): Promise<void> {
  const startMs = performance.now()
  for (const { atMs, event } of events) {
    const restMs = atMs / speed - (performance.now() - startMs)
    if (restMs > 0) await new Promise((resolve) => setTimeout(resolve, restMs))
    signal?.throwIfAborted()
    onEvent(event)
  }
}
