/** The general form: `{prompt | instruction | messages, responses: [text | {text, model, score}], target?}`. */
import type { Message } from '../../core/provider/engine.ts'
import { readQuestion } from '../../files/prompt-row.ts'
import {
  asFields,
  asId,
  asList,
  asModel,
  asScore,
  asText,
  checkQuestion,
  type Fields,
  perRecord,
  type Response,
  type Source,
  wrong,
} from '../../files/rows/row.ts'

/** The source `responses`. */
export const responses: Source = {
  about: '{prompt | messages, responses: [text | {text, model, score}], target?}, one per line',
  ...perRecord((row, id) => ({
    id: asId(row.id, id),
    prompt: readPrompt(row),
    responses: readResponses(row),
    ...(row.target != null && { target: asText(row.target, 'target') }),
  })),
}

/** Reads a row's prompt, as `aft run` does. @throws RowProblem if it has none, or if no model is to answer its last turn */
export function readPrompt(row: Fields): Message[] {
  return checkQuestion(readQuestion(row, wrong), 'messages')
}

function readResponses({ responses, ...row }: Fields): Response[] {
  if (responses == null) throw wrong('`responses` to be a list of texts', Object.keys(row))
  return asList(responses, 'responses').map(readResponse)
}

function readResponse(value: unknown, i: number): Response {
  if (typeof value === 'string') return { text: value, model: 'unknown' }
  const field = `responses[${i}]`
  const { text, model, score: given, onPolicy } = asFields(value, field)
  if (typeof text !== 'string') throw wrong(`\`${field}.text\` to be text`, text)
  const score = asScore(given, `${field}.score`)
  return {
    text,
    model: asModel(model, `${field}.model`),
    ...(score !== undefined && { score }),
    ...(typeof onPolicy === 'boolean' && { onPolicy }),
  }
}
