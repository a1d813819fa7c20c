/** Finds targets that are not in the rows: in a file, or written by an engine. */
import { DataError } from '../core/provider/errors.ts'
import { listFiles, readRecords } from '../files/rows/read-records.ts'
import { asFields, asText, RowProblem } from '../files/rows/row.ts'
import { createSpool } from '../lib/spool.ts'
import { type LabelRow, type ReadLabelRows, readLabels } from '../run/label.ts'
import { type BuildOptions, promptText, selectDrafts } from './build.ts'
import { readPrompt } from './sources/responses.ts'

/**
 * Reads targets by prompt text (`promptText`) from a file. A row has the field `target`, `output` or `answer`.
 * @throws DataError with file and line for a row without a target
 */
export async function readTargets(from: string): Promise<Map<string, string>> {
  const table = new Map<string, string>()
  for await (const { value, problem, file, line } of readRecords(listFiles(from))) {
    try {
      if (problem !== undefined) throw new RowProblem(problem)
      const row = asFields(value)
      const text = asText(row.target ?? row.output ?? row.answer, 'output')
      table.set(promptText(readPrompt(row)), text)
    } catch (error) {
      throw error instanceof RowProblem ? new DataError(file, line, error.message) : error
    }
  }
  return table
}

/**
 * Lets an engine write the targets of the rows that a build keeps. The engine sees the proposals that the examples will
 * show. Rows that the build drops cost nothing.
 * @param out the file that `label` writes, in the format of `labelRows`
 * @param label labels rows; resolves to false if it did not try every row
 * @returns targets by prompt text; undefined if `label` did not try every row
 */
export async function askTargets(
  build: Omit<BuildOptions, 'target'>,
  out: string,
  label: (rows: ReadLabelRows) => Promise<boolean>,
): Promise<Map<string, string> | undefined> {
  const drafts = createSpool<LabelRow>(`${out}.rows.tmp`)
  const ids: string[] = []
  try {
    for await (const { id, conversation, proposals } of selectDrafts(build)) {
      drafts.put(id, { id, prompt: conversation, responses: proposals })
      ids.push(id)
    }
    const found = new Map<string, string>()
    const rows = function* () {
      for (const id of ids) yield drafts.get(id) as LabelRow
    }
    if (ids.length === 0) return found
    if (!(await label(rows))) return undefined
    for await (const { row, target } of readLabels(rows, out)) found.set(promptText(row.prompt), target)
    return found
  } finally {
    drafts.close()
  }
}
