/** Text generation inference: an error is a text with a type, arguments are objects, one completion per request. */
import { halves, openAILike, type Refusal, type Said } from '../dialect.ts'

const says = (status: number, error: string, error_type: string): Refusal => ({
  status,
  body: { error, error_type },
})

const wireCalls = ({ calls = [] }: Said) =>
  calls.map(({ name, arguments: args }, index) => {
    return {
      index,
      id: String(index),
      type: 'function',
      function: { name, description: null, arguments: JSON.parse(args) },
    }
  })

export const dialect = openAILike({
  name: 'TGI',
  address: 'http://127.0.0.1:3000/v1',
  refuse: ({ body: { messages } }) => {
    const isLate = messages.findLastIndex(({ role }) => role === 'system') > 0
    return isLate
      ? says(422, 'Template error: System message must be at the beginning.', 'template_error')
      : undefined
  },
  ignoresN: true,
  showsReasoning: true,
  deltas: (said) => [
    ...(said.reasoning ? [{ role: 'assistant', content: `<think>\n${said.reasoning}</think>\n\n` }] : []),
    ...halves(said.text ?? '').map((content) => ({ role: 'assistant', content })),
    ...wireCalls(said).map((call) => ({ role: 'assistant', tool_calls: [call] })),
  ],
  message: (said) => ({ role: 'assistant', content: said.text ?? null, tool_calls: wireCalls(said) }),
  finish: ({ isCut }) => (isCut ? 'length' : 'eos_token'),
  tooLong: ({ prompt, context }) =>
    says(
      422,
      `Input validation error: \`inputs\` tokens + \`max_new_tokens\` must be <= ${context}. Given: ${prompt} \`inputs\` tokens and 100 \`max_new_tokens\``,
      'validation',
    ),
  busy: says(429, 'Model is overloaded', 'overloaded'),
  breaks: ({ message, status }) =>
    `data: ${JSON.stringify({ error: `Request failed during generation: ${message}`, error_type: status === 403 ? 'validation' : 'generation' })}\n\n`,
})
