/** The kinds of data by name. A new one is a file `source-NAME.ts` and a line here. */
import { UsageError } from '../core/errors.ts'
import { findClosest } from '../lib/closest.ts'
import type { Source } from './row.ts'
import { alpacaEval } from './source-alpaca-eval.ts'
import { gsm8kSolutions } from './source-gsm8k-solutions.ts'
import { journal } from './source-journal.ts'
import { responses } from './source-responses.ts'
import { ultrafeedback } from './source-ultrafeedback.ts'
import { ultrafeedbackBinarized } from './source-ultrafeedback-binarized.ts'

export const sources: Record<string, Source> = {
  responses,
  ultrafeedback,
  'ultrafeedback-binarized': ultrafeedbackBinarized,
  'alpaca-eval': alpacaEval,
  'gsm8k-solutions': gsm8kSolutions,
  journal,
}

/** @throws UsageError that lists the names there are */
export function findSource(format: string): Source {
  const source = Object.hasOwn(sources, format) ? sources[format] : undefined
  if (source) return source
  const names = [...Object.keys(sources), 'arithmetic']
  const closest = findClosest(format, names)
  throw new UsageError(
    `there is no format "${format}"${closest ? ` (meant "${closest}"?)` : ''}; there are: ${names.join(', ')}`,
  )
}
