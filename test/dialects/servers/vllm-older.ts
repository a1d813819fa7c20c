/** vLLM of 2024 and 2025: errors without a field `error`, reasoning under its first name. */
import { deltasOf, openAILike, type Refusal } from '../dialect.ts'

function says(message: string, status = 400): Refusal {
  return { status, body: { object: 'error', message, type: 'BadRequestError', param: null, code: status } }
}

export const dialect = openAILike({
  name: 'vLLM, older',
  address: 'http://127.0.0.1:8000/v1',
  reasoningIn: 'reasoning_content',
  deltas: (said) => deltasOf(said, 'reasoning_content'),
  tooLong: ({ prompt, context }) =>
    says(
      `This model's maximum context length is ${context} tokens. However, you requested ${prompt + 100} tokens (${prompt} in the messages, 100 in the completion). Please reduce the length of the messages or completion.`,
    ),
  busy: says('Internal Server Error', 500),
  breaks: ({ message, status }) => `data: ${JSON.stringify(says(message, status).body)}\n\ndata: [DONE]\n\n`,
})
