/** UltraFeedback binarized: the best of four completions, and one other. */
import { preference } from '../../files/forms/preference.ts'
import { perRecord, type Source, wrong } from '../../files/rows/row.ts'
import { readRow } from './responses.ts'

const SIDES = ['chosen', 'rejected']

/** The source `ultrafeedback-binarized`: as H4 published it, as TRL has it (no ids), and as argilla cleaned it (ratings, models). */
export const ultrafeedbackBinarized: Source = {
  about: 'UltraFeedback binarized: {prompt, chosen: [messages], rejected: [messages], score_chosen, …}',
  columns: SIDES,
  optionalColumns: [
    'prompt',
    'prompt_id',
    ...SIDES.flatMap((side) => [`score_${side}`, `${side}-rating`, `${side}-model`, `${side}_model`]),
  ],
  ...perRecord((row, id) => {
    if (!preference.fits(row)) throw wrong('`chosen` and `rejected`', Object.keys(row))
    return readRow(row, id)
  }),
}
