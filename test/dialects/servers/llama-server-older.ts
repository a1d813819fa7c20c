/** llama-server of 2025: errors of a stream in a field `error:`, also of one that never began. */
import { openAILike } from '../dialect.ts'
import { says } from './llama-server.ts'

const field = (code: number, message: string, type = 'server_error', more: object = {}) =>
  `error: ${JSON.stringify({ code, message, type, ...more })}\n\n`

export const dialect = openAILike({
  name: 'llama-server, older',
  address: 'http://127.0.0.1:8080/v1',
  ignoresN: true,
  reasoningIn: 'reasoning_content',
  tooLong: ({ prompt, context }) =>
    field(
      400,
      'the request exceeds the available context size. try increasing the context size or enable context shift',
      'exceed_context_size_error',
      {
        n_prompt_tokens: prompt,
        n_ctx: context,
      },
    ),
  busy: says(503, 'Loading model', 'unavailable_error'),
  breaks: ({ message, status }) => field(status, message),
})
