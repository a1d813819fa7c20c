/** The data formats by name. To add one, add a file to this folder and a line here. */
import { UsageError } from '../../core/provider/errors.ts'
import { listTrainingFiles, readRecords } from '../../files/rows/read-records.ts'
import type { BadRow, MadeSource, Source, SourceRow } from '../../files/rows/row.ts'
import { findClosest } from '../../lib/closest.ts'
import { alpacaEval } from './alpaca-eval.ts'
import { arithmetic } from './arithmetic.ts'
import { batch } from './batch.ts'
import { gsm8kSolutions } from './gsm8k-solutions.ts'
import { journal } from './journal.ts'
import { puzzles } from './puzzles.ts'
import { responses } from './responses.ts'
import { ultrafeedback } from './ultrafeedback.ts'
import { ultrafeedbackBinarized } from './ultrafeedback-binarized.ts'

const fileSources: Record<string, Source> = {
  responses,
  ultrafeedback,
  'ultrafeedback-binarized': ultrafeedbackBinarized,
  'alpaca-eval': alpacaEval,
  'gsm8k-solutions': gsm8kSolutions,
  batch,
  journal,
}
const madeSources: Record<string, MadeSource> = { arithmetic, puzzles }

/** Names of the formats that are read from files. */
export const fileFormats = Object.keys(fileSources)
/** Names of all formats. */
export const formats = [...fileFormats, ...Object.keys(madeSources)]

/** Finds a format that is read from files. @throws UsageError that lists the known names */
export function findSource(format: string): Source {
  const source = Object.hasOwn(fileSources, format) ? fileSources[format] : undefined
  if (source) return source
  if (formats.includes(format)) throw new UsageError(`--format ${format} makes its rows; it takes no files`)
  const closest = findClosest(format, formats)
  throw new UsageError(
    `there is no format "${format}"${closest ? ` (meant "${closest}"?)` : ''}; there are: ${formats.join(', ')}`,
  )
}

/** The rows of a build. They can be read more than once. */
export interface OpenSource {
  /** The files to read; empty if the program makes the rows. */
  files: string[]
  read(): Iterable<SourceRow> | AsyncIterable<SourceRow | BadRow>
  isMade: boolean
  /** Files of folders that are not read, because their names say test or validation. */
  heldOut: string[]
}

/**
 * Opens the rows of files and folders, or as many `problems` as the program shall make.
 * @param options `puzzles` says which puzzles to make; files in the folder `output` are no rows
 * @throws UsageError if files are missing, or given to a format that takes none
 */
export function openSource(
  format: string,
  paths: string[],
  { problems, seed, puzzles, output }: { problems: number; seed: number; puzzles?: string; output?: string },
): OpenSource {
  const made = Object.hasOwn(madeSources, format) ? madeSources[format] : undefined
  if (made && paths.length > 0) throw new UsageError(`--format ${format} makes its rows; it takes no files`)
  if (puzzles !== undefined && format !== 'puzzles') throw new UsageError('--puzzles needs --format puzzles')
  if (made) return { files: [], read: () => made.make(problems, seed, puzzles), isMade: true, heldOut: [] }
  const source = findSource(format)
  if (paths.length === 0) throw new UsageError('expected a file, a folder or - to build from')
  const found = paths.map((place) => listTrainingFiles(place, output))
  const files = found.flatMap((one) => one.files)
  const heldOut = found.flatMap((one) => one.heldOut)
  return { files, read: () => source.read(readRecords(files, source)), isMade: false, heldOut }
}
