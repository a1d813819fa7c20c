/** A draft becomes the lines to be written: all of them but their ids, which only the order of all rows gives. */

import type { Template } from '../core/templates.ts'
import type { Example } from '../files/rows/row.ts'
import { hashParts, randomFrom } from '../lib/random.ts'
import { type Draft, makeExample, type TokenBudget } from './make-example.ts'
import { type Measures, measureDraft } from './statistics.ts'

/** How a draft is written. */
export interface RenderOptions {
  template: Template
  seed: number
  budget?: TokenBudget
  /** Share (0 to 1) of rows that also give a plain example, without proposals. */
  plainShare: number
  /** Writes `sft/`: the same rows, prompt to target. */
  hasSftTwin: boolean
  /** Share (0 to 1) of prompts that go to validation. */
  validationShare: number
  /** Share (0 to 1) of examples whose overlap is measured: it costs as much as all the rest. All if absent. */
  overlapShare?: number
}

/** A line to be written, without its id. */
export interface Line<Text = string> {
  file: string
  /** Of the id. */
  suffix: string
  /** What follows the id, line break included. */
  rest: Text
}

/** What a draft became, with what is counted of it. */
export interface Rendered<Text = string> {
  split: 'train' | 'validation'
  lines: Line<Text>[]
  isPlain: boolean
  isTrimmed: boolean
  /** Of each proposal. */
  models: string[]
  measures: Measures
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

/** The beginning of a line, before its `rest`. */
export function beginLine(id: string, { suffix }: Pick<Line<unknown>, 'suffix'>): string {
  return `{"id":${JSON.stringify(id + suffix)}`
}
