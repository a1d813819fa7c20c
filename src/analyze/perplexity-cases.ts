/** Turns rows into what `aft analyze perplexity` scores: a target, and the prompts to show before it. */
import { type Message, textOf } from '../core/provider/engine.ts'
import { DataError } from '../core/provider/errors.ts'
import type { BadRow, Example, SourceRow } from '../files/rows/row.ts'
import {
  casesOfExamples,
  casesOfResponses,
  type ExampleRow,
  type ResponseRow,
  type ScoredCase,
} from './perplexity.ts'

/** The cases to score, and what was left out. */
export interface Cases {
  cases: ScoredCase[]
  /** Templates of the prompts, if the rows name them. */
  templates: string[]
  /** Number of rows left out, by reason. */
  leftOut: Record<string, number>
}

/**
 * Gathers cases from the examples of a built data set.
 * @param twins the same examples without proposals, as an SFT run reads them; without a twin, a prompt is made here
 * @param maxChars most characters of target and proposals together; longer examples are left out
 */
export async function gatherExamples(
  examples: AsyncIterable<Example>,
  twins: AsyncIterable<Example> | undefined,
  maxChars = Infinity,
): Promise<Cases> {
  const plain = new Map<string, Message[]>()
  for await (const { id, prompt } of twins ?? []) plain.set(id, prompt)
  const rows: ExampleRow[] = []
  const templates = new Set<string>()
  const skipped = countReasons()
  for await (const { id, prompt, completion, proposals, template } of examples) {
    const target = completion[0].content
    const at = proposals[0]?.at ?? 0
    const chars = target.length + textOf(prompt[at] as Message).length
    templates.add(template)
    if (proposals.length === 0) skipped.add('no proposals')
    else if (chars > maxChars) skipped.add(tooLong(maxChars))
    else rows.push({ id, prompt, target, at, twin: plain.get(id), proposals: shownIn(prompt, proposals) })
  }
  return { cases: casesOfExamples(rows), templates: [...templates], leftOut: skipped.reasons }
}

/** The texts of the proposals. Data of 0.1.0 do not say where they are: then it is the whole message that holds them. */
function shownIn(prompt: Message[], proposals: Example['proposals']): string[] {
  const text = textOf(prompt[proposals[0]?.at ?? 0] as Message)
  return proposals.every(({ span }) => span)
    ? proposals.map(({ span }) => text.slice(...(span as [number, number])))
    : [text]
}

/** Which texts of a row are scored and shown. */
export interface GatherOptions {
  /** Returns the target of a row. If `isOwn`, it is one of the row's responses and is not shown as a proposal. */
  targetOf(row: SourceRow): { text: string | undefined; isOwn?: boolean }
  /** Proposals per row. Rows with fewer are left out. */
  proposals: number
  /** Most characters of target and proposals together. Longer rows are left out. */
  maxChars?: number
  /** Shows every number of proposals, and all in reverse order. */
  each?: boolean
}

/**
 * Gathers cases from the rows of a source, with the first responses of each in their order. Texts stay unchanged.
 * @throws DataError for a broken record
 */
export async function gatherResponses(
  source: AsyncIterable<SourceRow | BadRow>,
  { targetOf, proposals: count, maxChars = Infinity, each }: GatherOptions,
): Promise<Cases> {
  const rows: ResponseRow[] = []
  const skipped = countReasons()
  for await (const row of source) {
    if ('problem' in row) throw new DataError(row.place, undefined, row.problem)
    const { text, isOwn } = targetOf(row)
    const responses = textsOf(row, isOwn ? text : undefined, count)
    const chars = responses.reduce((sum, response) => sum + response.length, text?.length ?? 0)
    if (text === undefined || text.trim() === '') skipped.add('no target')
    else if (responses.length < count) skipped.add(`fewer than ${count} responses`)
    else if (chars > maxChars) skipped.add(tooLong(maxChars))
    else rows.push({ prompt: row.prompt, responses, target: text })
  }
  return { cases: casesOfResponses(rows, { each }), templates: [], leftOut: skipped.reasons }
}

function countReasons() {
  const reasons: Record<string, number> = {}
  return {
    reasons,
    add(why: string) {
      reasons[why] = (reasons[why] ?? 0) + 1
    },
  }
}

const tooLong = (chars: number) => `target and proposals have more than ${chars} characters`

function textsOf({ responses }: SourceRow, target: string | undefined, count: number): string[] {
  const texts = responses.map(({ text }) => text)
  const own = target === undefined ? -1 : texts.indexOf(target)
  return texts.filter((text, i) => i !== own && text.trim() !== '').slice(0, count)
}
