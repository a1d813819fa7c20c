/** UltraFeedback binarized: the best of four completions, and one other. */
import type { Message } from '../../core/provider/engine.ts'
import { textOf } from '../../core/provider/engine.ts'
import {
  asFields,
  asList,
  asMessages,
  asScore,
  type Fields,
  perRecord,
  type Response,
  type Source,
  wrong,
} from '../../files/rows/row.ts'

/** The source `ultrafeedback-binarized`. */
export const ultrafeedbackBinarized: Source = {
  about: 'UltraFeedback binarized: {prompt, chosen: [messages], rejected: [messages], score_chosen, …}',
  columns: ['prompt_id', 'chosen', 'rejected', 'score_chosen', 'score_rejected'],
  ...perRecord((row, id) => ({
    id: typeof row.prompt_id === 'string' ? row.prompt_id : id,
    prompt: asMessages(asList(row.chosen, 'chosen').slice(0, -1), 'chosen'),
    responses: [readSide(row, 'chosen'), readSide(row, 'rejected')],
  })),
}

function readSide(row: Fields, side: 'chosen' | 'rejected'): Response {
  const last = asFields(asList(row[side], side).at(-1), side)
  if (last.role !== 'assistant') throw wrong(`\`${side}\` to end with the assistant`, last.role)
  const score = asScore(row[`score_${side}`])
  return { text: textOf(last as unknown as Message), model: 'unknown', ...(score !== undefined && { score }) }
}
