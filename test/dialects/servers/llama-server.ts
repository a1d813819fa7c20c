/** llama-server: figures of its own with a prompt that is too long, and usage after each completion. */
import { type Asked, openAILike, type Refusal } from '../dialect.ts'

const SLOTS = 4

export const says = (code: number, message: string, type: string, more: object = {}): Refusal => ({
  status: code,
  body: { error: { code, message, type, ...more } },
})

function refuse({ body: { n = 1, messages } }: Asked): Refusal | undefined {
  if (n > SLOTS)
    return says(
      400,
      'n_cmpl cannot be greater than the number of slots, please increase -np',
      'invalid_request_error',
    )
  const isLate = messages.findLastIndex(({ role }) => role === 'system') > 0
  return isLate
    ? says(500, 'Jinja Exception: System message must be at the beginning.', 'server_error')
    : undefined
}

export const dialect = openAILike({
  name: 'llama-server',
  address: 'http://127.0.0.1:8080/v1',
  refuse,
  reasoningIn: 'reasoning_content',
  tooLong: ({ prompt, context }) =>
    says(
      400,
      'the request exceeds the available context size, try increasing it',
      'exceed_context_size_error',
      {
        n_prompt_tokens: prompt,
        n_ctx: context,
      },
    ),
  busy: says(503, 'Loading model', 'unavailable_error'),
  breaks: ({ message, status }) => `data: ${JSON.stringify(says(status, message, 'server_error').body)}\n\n`,
})
