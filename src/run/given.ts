/** A first layer that is given: proposals that are there already are aggregated, and nothing is sampled for them. */
import type { CompletionRecord } from '../files/journal-records.ts'
import type { PromptRow } from '../files/prompts.ts'
import type { PromptLine } from '../files/run-journal.ts'

/** A proposal that is there already, and the name of the model that wrote it. */
export interface GivenProposal {
  text: string
  model: string
}

/** A prompt of a run. With `given` proposals, these are its first layer. */
export interface RunRow extends PromptRow {
  given?: GivenProposal[]
}

/** A row as the journal's line of its prompt. What is given are lines of their own. */
export function toLine({ given, ...row }: RunRow): PromptLine {
  return { type: 'prompt', ...row }
}

/** The lines that make what is given a layer that has ended, without those that are recorded already. */
export function listGiven({ id: prompt, given }: RunRow, recorded: PromptLine[]): PromptLine[] {
  if (!given || recorded.some((line) => line.type === 'layer' && line.layer === 0)) return []
  const has = new Set(recorded.map((line) => line.type === 'completion' && line.index))
  return [
    ...given
      .map((proposal, index) => toCompletion(prompt, index, proposal))
      .filter(({ index }) => !has.has(index)),
    { type: 'layer', prompt, layer: 0, shown: given.map((_, index) => index) },
  ]
}

/** It cost nothing. */
function toCompletion(prompt: string, index: number, { text, model }: GivenProposal): CompletionRecord {
  return {
    type: 'completion',
    prompt,
    layer: 0,
    index,
    voice: 0,
    engine: model,
    seed: 0,
    ms: 0,
    text,
    finishReason: 'stop',
    usage: { calls: 0, inputTokens: 0, prefilledTokens: 0, outputTokens: 0 },
  }
}
