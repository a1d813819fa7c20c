/** Renders a draft as lines to write, without their ids: an id depends on the rows before it. */

import type { Template } from '../core/provider/template.ts'
import type { Example } from '../files/rows/row.ts'
import { hashParts, randomFrom } from '../lib/random.ts'
import type { Examined } from './examine-row.ts'
import { type Draft, makeExample, type TokenBudget } from './make-example.ts'
import type { PromptMark } from './seen-rows.ts'
import { type Measures, measureDraft } from './statistics.ts'

/** How a draft is written. */
export interface RenderOptions {
  template: Template
  seed: number
  budget?: TokenBudget
  /** Share (0 to 1) of rows that also become a plain example, without proposals. */
  plainShare: number
  /** Also writes `sft/`: the same rows without proposals. */
  hasSftTwin: boolean
  /** Share (0 to 1) of prompts that go to validation. */
  validationShare: number
  /** Share (0 to 1) of examples whose overlap is measured, since that costs as much as the rest; 1 if absent. */
  overlapShare?: number
}

/** A line to write, without its id. */
export interface Line<Text = string> {
  file: string
  /** Added to the id. */
  suffix: string
  /** The text after the id, line break included. */
  rest: Text
}

/** The lines of a draft, and its numbers for the report. */
export interface Rendered<Text = string> {
  split: 'train' | 'validation'
  lines: Line<Text>[]
  isPlain: boolean
  isTrimmed: boolean
  /** The model of each proposal. */
  models: string[]
  measures: Measures
}

/** A row from another thread or machine. Only what depends on the order of the rows is left to do. */
export interface Ready extends Pick<Examined, 'hits' | 'left' | 'drop'> {
  id: string
  /** Absent if the row is dropped. */
  mark?: PromptMark
  /** Absent if the row is dropped or has too many tokens. */
  rendered?: Rendered<Uint8Array>
}

/** Renders a draft; undefined if it has too many tokens. */
export async function renderRow(draft: Draft, options: RenderOptions): Promise<Rendered | undefined> {
  const { template, budget, seed } = options
  const example = await makeExample(draft, template, budget)
  if (!example) return undefined
  const conversation = JSON.stringify(draft.conversation)
  const draw = (what: string) => randomFrom(hashParts(seed, what, conversation))()
  const split = draw('split') < options.validationShare ? 'validation' : 'train'
  const lines = [toLine(`${split}.jsonl`, '', example)]
  const wantsPlain = draw('plain') < options.plainShare
  const plain =
    wantsPlain || options.hasSftTwin
      ? await makeExample({ ...draft, proposals: [] }, template, budget)
      : undefined
  if (plain && wantsPlain) lines.push(toLine(`${split}.jsonl`, ':plain', plain))
  if (plain && options.hasSftTwin) lines.push(toLine(`sft/${split}.jsonl`, '', plain))
  const { overlapShare = 1 } = options
  return {
    split,
    lines,
    isPlain: plain !== undefined && wantsPlain,
    isTrimmed: example.proposals.some((p) => p.trimmedTo !== undefined),
    models: example.proposals.map(({ model }) => model),
    measures: measureDraft(draft, overlapShare >= 1 || draw('overlap') < overlapShare),
  }
}

function toLine(file: string, suffix: string, { id: _, ...example }: Example): Line {
  return { file, suffix, rest: `,${JSON.stringify(example).slice(1)}\n` }
}

/** Writes the beginning of a line, up to its `rest`. */
export function beginLine(id: string, { suffix }: Pick<Line<unknown>, 'suffix'>): string {
  return `{"id":${JSON.stringify(id + suffix)}`
}
