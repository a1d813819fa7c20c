/** The kinds of data by name. A new one is a file in this folder and a line here. */
import { UsageError } from '../../core/provider/errors.ts'
import { listFiles, readRecords } from '../../files/rows/read-records.ts'
import type { BadRow, MadeSource, Source, SourceRow } from '../../files/rows/row.ts'
import { findClosest } from '../../lib/closest.ts'
import { alpacaEval } from './alpaca-eval.ts'
import { arithmetic } from './arithmetic.ts'
import { gsm8kSolutions } from './gsm8k-solutions.ts'
import { journal } from './journal.ts'
import { responses } from './responses.ts'
import { ultrafeedback } from './ultrafeedback.ts'
import { ultrafeedbackBinarized } from './ultrafeedback-binarized.ts'

const fileSources: Record<string, Source> = {
  responses,
  ultrafeedback,
  'ultrafeedback-binarized': ultrafeedbackBinarized,
  'alpaca-eval': alpacaEval,
  'gsm8k-solutions': gsm8kSolutions,
  journal,
}
const madeSources: Record<string, MadeSource> = { arithmetic }

/** Names of the kinds that are read from files. */
export const fileFormats = Object.keys(fileSources)
/** Names of all kinds. */
export const formats = [...fileFormats, ...Object.keys(madeSources)]

/** @throws UsageError that lists the names there are */
export function findSource(format: string): Source {
  const source = Object.hasOwn(fileSources, format) ? fileSources[format] : undefined
  if (source) return source
  if (formats.includes(format)) throw new UsageError(`--format ${format} makes its rows; it takes no files`)
  const closest = findClosest(format, formats)
  throw new UsageError(
    `there is no format "${format}"${closest ? ` (meant "${closest}"?)` : ''}; there are: ${formats.join(', ')}`,
  )
}

/** The rows of a build, to be read as often as needed. */
export interface OpenSource {
  /** The files that are read, none if the rows are made. */
  files: string[]
  read(): Iterable<SourceRow> | AsyncIterable<SourceRow | BadRow>
  isMade: boolean
}

/**
 * The rows of files and folders, or those that the program makes: `rows` of them.
 * @throws UsageError if files are missing, or given to a kind that takes none
 */
export function openSource(
  format: string,
  paths: string[],
  { rows, seed }: { rows: number; seed: number },
): OpenSource {
  const made = Object.hasOwn(madeSources, format) ? madeSources[format] : undefined
  if (made && paths.length > 0) throw new UsageError(`--format ${format} makes its rows; it takes no files`)
  if (made) return { files: [], read: () => made.make(rows, seed), isMade: true }
  const source = findSource(format)
  if (paths.length === 0) throw new UsageError('expected a file, a folder or - to build from')
  const files = paths.flatMap(listFiles)
  return { files, read: () => source.read(readRecords(files, source)), isMade: false }
}
