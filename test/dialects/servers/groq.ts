/** Groq: one completion per request, no names in messages, and what it counted stands in a field of its own. */
import { type Asked, firstOf, openAILike, type Refusal, refusal } from '../dialect.ts'

function refuse(asked: Asked): Refusal | undefined {
  const { messages, n = 1 } = asked.body
  if (n > 1) return refusal(400, "'n' : number must be at most 1")
  const field = firstOf(['logprobs', 'top_logprobs', 'logit_bias', 'top_k', 'min_p'], asked)
  if (field) return refusal(400, `property '${field}' is unsupported`)
  const at = messages.findIndex((message) => 'name' in message)
  if (at >= 0)
    return refusal(
      400,
      `'messages.${at}' : for 'role:${messages[at]?.role}' the following must be satisfied[('messages.${at}.name' : property 'name' is unsupported)]`,
    )
  return undefined
}

export const dialect = openAILike({
  name: 'Groq',
  address: 'https://api.groq.com/openai/v1',
  refuse,
  reasoningIn: 'reasoning',
  atEnd: (usage) => ({ x_groq: { id: 'req_01', usage } }),
  last: () => [],
  tooLong: () =>
    refusal(400, 'Please reduce the length of the messages or completion.', {
      param: 'messages',
      code: 'context_length_exceeded',
    }),
  busy: refusal(503, 'm is currently over capacity. Please try again and back off exponentially.', {
    type: 'internal_server_error',
  }),
  breaks: ({ message, status }) => {
    const error = { message, type: 'invalid_request_error', code: 'failed', status_code: status }
    return `event: error\ndata: ${JSON.stringify({ error })}\n\n`
  },
})
