/** SGLang: a flat error, and null in the fields of a piece that say nothing. */
import { deltasOf, openAILike, type Refusal } from '../dialect.ts'

function says(message: string, status = 400): Refusal {
  return { status, body: { object: 'error', message, type: 'BadRequestError', param: null, code: status } }
}

const empty = { role: null, content: null, reasoning_content: null, tool_calls: null }

export const dialect = openAILike({
  name: 'SGLang',
  address: 'http://127.0.0.1:30000/v1',
  reasoningIn: 'reasoning_content',
  deltas: (said) => deltasOf(said, 'reasoning_content').map((delta) => ({ ...empty, ...delta })),
  tooLong: ({ prompt, context }) =>
    says(`The input (${prompt} tokens) is longer than the model's context length (${context} tokens).`),
  busy: says('The request queue is full.', 503),
  breaks: ({ message, status }) => {
    const error = { object: 'error', message, type: 'InternalServerError', param: null, code: status }
    return `data: ${JSON.stringify({ error })}\n\ndata: [DONE]\n\n`
  },
})
