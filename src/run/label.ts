/** Labels rows: an aggregator writes the target of each row from the responses of the row. */

import type { Plan } from '../core/plan.ts'
import type { Message } from '../core/provider/engine.ts'
import { readJsonl } from '../lib/jsonl.ts'
import { paperSettings } from '../plans/presets.ts'
import { makePlan, type PlanOptions } from '../plans/strategies.ts'
import type { GivenProposal } from './given.ts'
import { type RunOptions, type RunSummary, runPrompts } from './run.ts'

/** A row to label. Its responses must be usable, in the order in which they are shown. */
export interface LabelRow {
  id: string
  prompt: Message[]
  responses: GivenProposal[]
}

/** Reads the rows. Each call must give the same rows; no two rows have the same id. */
export type ReadLabelRows<Row extends LabelRow = LabelRow> = () => Iterable<Row> | AsyncIterable<Row>

/** The plan of a labeling: as many proposals as the longest row has responses, and one aggregation. */
export async function planLabels(
  rows: ReadLabelRows,
  {
    model,
    ...sampling
  }: { model: string } & Pick<PlanOptions, 'maxTokens' | 'temperature' | 'seed' | 'template'>,
): Promise<Plan> {
  let width = 1
  for await (const { responses } of rows()) width = Math.max(width, responses.length)
  return makePlan({ proposers: [model], width, depth: 1, ...paperSettings, ...sampling })
}

/**
 * Writes what the aggregator made of each row to `out`, as `runPrompts` does. `readLabels` reads it. Rows that have an
 * answer in the journal are skipped.
 * @throws as `runPrompts`
 */
export function labelRows(rows: ReadLabelRows, options: Omit<RunOptions, 'prompts'>): Promise<RunSummary> {
  async function* prompts() {
    for await (const { id, prompt, responses } of rows()) yield { id, messages: prompt, given: responses }
  }
  return runPrompts({ ...options, prompts })
}

/** Each row with its target, from the file that `labelRows` wrote. Rows that failed are left out. */
export async function* readLabels<Row extends LabelRow>(
  rows: ReadLabelRows<Row>,
  out: string,
): AsyncGenerator<{ row: Row; target: string }> {
  const answers = readJsonl(out)
  try {
    for await (const row of rows()) {
      const { value } = await answers.next()
      const { id, answer } = (value?.value ?? {}) as { id?: string; answer?: string }
      if (id !== row.id) throw new Error(`${out} has no answer for the row "${row.id}" at its place`)
      if (answer !== undefined) yield { row, target: answer }
    }
  } finally {
    await answers.return(undefined)
  }
}
