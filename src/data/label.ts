/** Reads the rows of a source that can be labeled: those with at least one response to show. */
import { DataError } from '../core/provider/errors.ts'
import { listFiles, readRecords } from '../files/rows/read-records.ts'
import type { SourceRow } from '../files/rows/row.ts'
import type { ReadLabelRows } from '../run/label.ts'
import { cleanResponses } from './clean.ts'
import { findSource } from './sources/sources.ts'

/**
 * Reads all rows once, to find a broken row before the first paid call. Standard input is kept in memory.
 * @returns a function that reads the rows again, and the number of rows left out because no response is usable
 * @throws DataError for a record that is not a row, or an id that two rows have
 */
export async function openLabelRows(
  paths: string[],
  format: string,
): Promise<{ rows: ReadLabelRows<SourceRow>; count: number; without: number }> {
  let [count, without] = [0, 0]
  const kept: SourceRow[] | undefined = paths.includes('-') ? [] : undefined
  for await (const row of readRows(paths, format, () => without++)) {
    count++
    kept?.push(row)
  }
  return { rows: () => kept ?? readRows(paths, format), count, without }
}

async function* readRows(paths: string[], format: string, onEmpty?: () => void): AsyncGenerator<SourceRow> {
  const source = findSource(format)
  const ids = new Set<string>()
  for await (const row of source.read(readRecords(paths.flatMap(listFiles), source))) {
    if ('problem' in row) throw new DataError(row.place, undefined, row.problem)
    if (ids.has(row.id)) throw new DataError(paths.join(', '), undefined, `two rows have the id "${row.id}"`)
    ids.add(row.id)
    const { responses } = cleanResponses(row.responses)
    if (responses.length > 0) yield { ...row, responses }
    else onEmpty?.()
  }
}
