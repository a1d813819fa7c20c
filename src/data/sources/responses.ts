/** Rows of any form that has several answers; see `files/forms/`. */
import type { Message } from '../../core/provider/engine.ts'
import { isGiven, isSet } from '../../files/forms/form.ts'
import { formOf } from '../../files/forms/forms.ts'
import {
  asId,
  asText,
  checkQuestion,
  type Fields,
  perRecord,
  type Source,
  type SourceRow,
  wrong,
} from '../../files/rows/row.ts'

/** The source `responses`. */
export const responses: Source = {
  about:
    '{prompt | messages, responses: [text | {text, model, score}], target?}, and other forms with several answers',
  ...perRecord(readRow),
}

/**
 * A record of any form as a row.
 * @throws RowProblem for a form with one answer or none, or a field that cannot be read
 */
export function readRow(row: Fields, place: string): SourceRow {
  const form = formOf(row)
  const prompt = readPrompt(row)
  if (!form.responses)
    throw wrong(
      `several answers per row, such as \`responses\` or \`chosen\` and \`rejected\` (let \`aft data propose\` write some)`,
      Object.keys(row),
    )
  const target = form.target?.(row)
  const [name, id] = isGiven(row.id) ? ['id', row.id] : ['prompt_id', row.prompt_id]
  return {
    id: asId(id, place, name as string),
    prompt,
    responses: form.responses(row),
    ...(target !== undefined && { target: asText(target, 'target') }),
  }
}

const MEDIA = ['images', 'image', 'videos', 'audios', 'audio']

/** Reads a row's prompt, as `aft run` does. @throws RowProblem if it has none, or if no model is to answer its last turn */
export function readPrompt(row: Fields): Message[] {
  const media = MEDIA.find((name) => isSet(row[name]))
  if (media) throw wrong(`no \`${media}\`: training reads text only`, row[media])
  return checkQuestion(formOf(row).ask(row), 'messages')
}
