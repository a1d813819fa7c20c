/** Finds what the answers of a journal took from their proposals, per prompt and in total. */
import { findShown } from '../files/journal-prompts.ts'
import { readAnswered } from '../files/run-journal.ts'
import { mean } from '../lib/statistics.ts'
import { attribute } from './attribution.ts'

/** What one answer took from its proposals. */
export interface PromptAttribution {
  id: string
  /** Share (0 to 1) of the answer's words that are in a run shared with some proposal. */
  copy_rate: number
  /** For each sentence the place of the proposal that it shares most with, from 0; -1 if it shares nothing. */
  sentences: number[]
}

/** What all answers of a journal took from their proposals. */
export interface AttributionSummary {
  file: string
  n: number
  /** Mean over prompts, 0 to 1. */
  copy_rate: number
  /** By place: share of all sentences whose nearest proposal is at this place. */
  position: number[]
  /** Share of all sentences that have nothing in common with any proposal. */
  fresh: number
  prompts: PromptAttribution[]
}

/**
 * Attributes every aggregated answer of a journal to the proposals that its aggregator saw, in the order of the answers.
 * @throws DataError with the line that belongs to no journal, FileError if the file cannot be read
 */
export async function attributeJournal(file: string): Promise<AttributionSummary> {
  const each: PromptAttribution[] = []
  const counts = new Map<number, number>()
  let all = 0
  for await (const { header, prompt } of readAnswered(file)) {
    const shown = findShown(prompt, header.plan.layers.length)
    if (!prompt.end || !('answer' in prompt.end) || shown.length === 0) continue
    const texts = shown.toSorted((a, b) => a.index - b.index).map((c) => c.text)
    const { copyRate, sentences } = attribute(prompt.end.answer, texts)
    const places = sentences.map((s) => s.sources[0]?.proposal ?? -1)
    each.push({ id: prompt.id, copy_rate: copyRate, sentences: places })
    for (const place of places) counts.set(place, (counts.get(place) ?? 0) + 1)
    all += places.length
  }
  const share = (place: number) => (counts.get(place) ?? 0) / Math.max(1, all)
  return {
    file,
    n: each.length,
    fresh: share(-1),
    copy_rate: each.length > 0 ? mean(each.map((p) => p.copy_rate)) : 0,
    position: Array.from({ length: Math.max(-1, ...counts.keys()) + 1 }, (_, i) => share(i)),
    prompts: each,
  }
}
