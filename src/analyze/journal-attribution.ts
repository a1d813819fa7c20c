/** Finds what the answers of a journal took from their proposals, per prompt and in total. */
import { findShown } from '../files/journal-prompts.ts'
import type { JournalContent } from '../files/run-journal.ts'
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

/** Attributes every aggregated answer to the proposals that its aggregator saw. */
export function attributeJournal({ file, header, prompts }: JournalContent): AttributionSummary {
  const each = prompts.flatMap((prompt): PromptAttribution[] => {
    const { id, end } = prompt
    const shown = findShown(prompt, header.plan.layers.length)
    if (!end || !('answer' in end) || shown.length === 0) return []
    const texts = shown.toSorted((a, b) => a.index - b.index).map((c) => c.text)
    const { copyRate, sentences } = attribute(end.answer, texts)
    return [{ id, copy_rate: copyRate, sentences: sentences.map((s) => s.sources[0]?.proposal ?? -1) }]
  })
  const all = each.flatMap((prompt) => prompt.sentences)
  const share = (place: number) => all.filter((p) => p === place).length / Math.max(1, all.length)
  return {
    file,
    n: each.length,
    fresh: share(-1),
    copy_rate: each.length > 0 ? mean(each.map((p) => p.copy_rate)) : 0,
    position: Array.from({ length: Math.max(0, ...all.map((place) => place + 1)) }, (_, i) => share(i)),
    prompts: each,
  }
}
