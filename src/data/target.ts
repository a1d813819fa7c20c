/** Finds targets that are not in the rows: in a file, or written by an engine. */
import { DataError } from '../core/provider/errors.ts'
import { formOf } from '../files/forms/forms.ts'
import { listFiles, readRecords } from '../files/rows/read-records.ts'
import { asFields, RowProblem, wrong } from '../files/rows/row.ts'
import { createSpool } from '../lib/spool.ts'
import type { LabelRow, ReadLabelRows } from '../run/label.ts'
import { type BuildOptions, promptText, selectDrafts } from './build.ts'
import { readPrompt } from './sources/responses.ts'

/**
 * Reads targets by prompt text (`promptText`) from a file. A row has any form with one answer; a blank one is skipped. If a
 * prompt has several, the first counts.
 * @param onSkip gets the number of rows that are blank, and of those that repeat a prompt with another answer
 * @throws DataError with file and line for a row without a target
 */
export async function readTargets(
  from: string,
  onSkip?: (blank: number, repeated: number) => void,
): Promise<Map<string, string>> {
  const table = new Map<string, string>()
  let [blank, repeated] = [0, 0]
  for await (const { value, problem, file, line } of readRecords(listFiles(from))) {
    try {
      if (problem !== undefined) throw new RowProblem(problem)
      const row = asFields(value)
      const text = formOf(row).target?.(row)
      if (text === undefined)
        throw wrong('an answer, such as `target`, `output` or `answer`', Object.keys(row))
      const prompt = promptText(readPrompt(row))
      if (text.trim() === '') blank++
      else if (!table.has(prompt)) table.set(prompt, text)
      else if (table.get(prompt) !== text) repeated++
    } catch (error) {
      throw error instanceof RowProblem ? new DataError(file, line, error.message) : error
    }
  }
  onSkip?.(blank, repeated)
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
    const { readLabels } = await import('../run/label.ts')
    for await (const { row, target } of readLabels(rows, out)) found.set(promptText(row.prompt), target)
    return found
  } finally {
    drafts.close()
  }
}
