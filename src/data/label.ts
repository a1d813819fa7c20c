/** Reads the rows of a source that can be labeled: those with at least one response to show. */
import { DataError } from '../core/provider/errors.ts'
import { listTrainingFiles, readRecords } from '../files/rows/read-records.ts'
import type { SourceRow } from '../files/rows/row.ts'
import type { ReadLabelRows } from '../run/label.ts'
import { cleanResponses } from './clean.ts'
import { findSource } from './sources/sources.ts'

/** What a record is, and whether responses that equal one another are shown. */
type Reading = { format: string; keepEqual?: boolean }

/**
 * Reads all rows once, to find a broken row before the first paid call. Standard input is kept in memory.
 * @returns a function that reads the rows again, the number of rows left out because no response is usable, and the files
 * left out because their names say test or validation
 * @throws DataError for a record that is not a row, or an id that two rows have
 */
export async function openLabelRows(
  paths: string[],
  reading: Reading,
): Promise<{ rows: ReadLabelRows<SourceRow>; count: number; without: number; heldOut: string[] }> {
  let [count, without] = [0, 0]
  const kept: SourceRow[] | undefined = paths.includes('-') ? [] : undefined
  const found = paths.map((place) => listTrainingFiles(place))
  const files = found.flatMap((one) => one.files)
  for await (const row of readRows(files, reading, () => without++)) {
    count++
    kept?.push(row)
  }
  const heldOut = found.flatMap((one) => one.heldOut)
  return { rows: () => kept ?? readRows(files, reading), count, without, heldOut }
}

async function* readRows(files: string[], reading: Reading, onEmpty?: () => void): AsyncGenerator<SourceRow> {
  const source = findSource(reading.format)
  const ids = new Set<string>()
  for await (const row of source.read(readRecords(files, source))) {
    if ('problem' in row) throw new DataError(row.place, undefined, row.problem)
    if (ids.has(row.id)) throw new DataError(files.join(', '), undefined, `two rows have the id "${row.id}"`)
    ids.add(row.id)
    const { responses } = cleanResponses(row.responses, { keepsEqual: reading.keepEqual })
    if (responses.length > 0) yield { ...row, responses }
    else onEmpty?.()
  }
}
