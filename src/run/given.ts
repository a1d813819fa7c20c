/** Given proposals: the first layer of a prompt is not sampled, but written to the journal as it is. */
import type { CompletionRecord } from '../files/journal-records.ts'
import type { PromptRow } from '../files/prompts.ts'
import type { PromptLine } from '../files/run-journal.ts'

/** An existing proposal, and the name of the model that wrote it. */
export interface GivenProposal {
  text: string
  model: string
}

/** A prompt of a run. If it has `given` proposals, they are its first layer. */
export interface RunRow extends PromptRow {
  given?: GivenProposal[]
}

/** Turns a row into its line in the journal. */
export function toLine(row: RunRow): PromptLine {
  return { type: 'prompt', ...withoutGiven(row) }
}

/** Given proposals are lines of their own. */
export function withoutGiven({ given, ...row }: RunRow): PromptRow {
  return row
}

/** Lists the lines that record the given proposals as a complete layer. Lines that the journal has are left out. */
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

/** A given proposal as a completion that cost nothing. */
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
