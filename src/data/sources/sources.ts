/** The kinds of data by name. A new one is a file `source-NAME.ts` and a line here. */
import { UsageError } from '../../core/provider/errors.ts'
import type { Source } from '../../files/rows/row.ts'
import { findClosest } from '../../lib/closest.ts'
import { alpacaEval } from './alpaca-eval.ts'
import { gsm8kSolutions } from './gsm8k-solutions.ts'
import { journal } from './journal.ts'
import { responses } from './responses.ts'
import { ultrafeedback } from './ultrafeedback.ts'
import { ultrafeedbackBinarized } from './ultrafeedback-binarized.ts'

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
