/** The general form: `{prompt | instruction | messages, responses: [text | {text, model, score}], target?}`. */
import {
  asFields,
  ask,
  asList,
  asMessages,
  asScore,
  asText,
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
    id: typeof row.id === 'string' || typeof row.id === 'number' ? String(row.id) : id,
    prompt: readPrompt(row),
    responses: asList(row.responses ?? [], 'responses').map(readResponse),
    ...(row.target != null && { target: asText(row.target, 'target') }),
  })),
}

/** Reads a row's prompt from `messages`, `prompt`, `instruction` or `question`. @throws RowProblem if it has none */
export function readPrompt(row: Fields): ReturnType<typeof asMessages> {
  if (row.messages != null) return asMessages(row.messages, 'messages')
  const field = ['prompt', 'instruction', 'question'].find((name) => row[name] != null)
  if (field === undefined) throw wrong('one of messages, prompt, instruction, question', Object.keys(row))
  return Array.isArray(row[field]) ? asMessages(row[field], field) : ask(asText(row[field], field))
}

function readResponse(value: unknown, i: number): Response {
  if (typeof value === 'string') return { text: value, model: 'unknown' }
  const { text, model, score, onPolicy } = asFields(value, `responses[${i}]`)
  if (typeof text !== 'string') throw wrong(`\`responses[${i}].text\` to be text`, text)
  return {
    text,
    model: typeof model === 'string' ? model : 'unknown',
    ...(asScore(score) !== undefined && { score: asScore(score) }),
    ...(typeof onPolicy === 'boolean' && { onPolicy }),
  }
}
