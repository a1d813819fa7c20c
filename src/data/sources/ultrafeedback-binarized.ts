/** UltraFeedback binarized: the best of four completions, and one other. */
import type { Message } from '../../core/provider/engine.ts'
import { textOf } from '../../core/provider/engine.ts'
import {
  asFields,
  asId,
  asList,
  asMessages,
  asModel,
  asScore,
  type Fields,
  perRecord,
  type Response,
  type Source,
  wrong,
} from '../../files/rows/row.ts'

const SIDES = ['chosen', 'rejected'] as const
type Side = (typeof SIDES)[number]

/** The source `ultrafeedback-binarized`: as H4 published it, as TRL has it (no ids), and as argilla cleaned it (ratings, models). */
export const ultrafeedbackBinarized: Source = {
  about: 'UltraFeedback binarized: {prompt, chosen: [messages], rejected: [messages], score_chosen, …}',
  columns: [...SIDES],
  optionalColumns: [
    'prompt_id',
    ...SIDES.flatMap((side) => [`score_${side}`, `${side}-rating`, `${side}-model`, `${side}_model`]),
  ],
  ...perRecord((row, id) => ({
    id: asId(row.prompt_id, id, 'prompt_id'),
    prompt: asMessages(asList(row.chosen, 'chosen').slice(0, -1), 'chosen'),
    responses: SIDES.map((side) => readSide(row, side)),
  })),
}

function readSide(row: Fields, side: Side): Response {
  const last = asFields(asList(row[side], side).at(-1), side)
  if (last.role !== 'assistant') throw wrong(`\`${side}\` to end with the assistant`, last.role)
  const pick = (...names: string[]) => names.find((name) => row[name] != null) ?? (names[0] as string)
  const rated = pick(`score_${side}`, `${side}-rating`)
  const named = pick(`${side}-model`, `${side}_model`)
  const score = asScore(row[rated], rated)
  return {
    text: textOf(last as unknown as Message),
    model: asModel(row[named], named),
    ...(score !== undefined && { score }),
  }
}
