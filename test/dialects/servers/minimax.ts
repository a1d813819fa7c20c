/** MiniMax: every error is a 200 with a status of its own in the body. */
import { openAILike } from '../dialect.ts'

const base = (status_code: number, status_msg: string) => ({
  id: 'x',
  choices: null,
  base_resp: { status_code, status_msg },
})

export const dialect = openAILike({
  name: 'MiniMax',
  address: 'https://api.minimax.io/v1',
  ignoresN: true,
  showsReasoning: true,
  deltas: ({ reasoning, text = '', calls = [] }) => [
    ...(reasoning
      ? [{ role: 'assistant', content: '<think>\n' }, { content: reasoning }, { content: '</think>\n\n' }]
      : []),
    ...(text ? [{ role: 'assistant', content: text.slice(0, 5) }, { content: text.slice(5) }] : []),
    ...calls.map((called, index) => ({
      tool_calls: [{ index, id: `call_function_${index}`, type: 'function', function: called }],
    })),
  ],
  frame: (chunk) =>
    `data: ${JSON.stringify({ ...chunk, base_resp: { status_code: 0, status_msg: '' } })}\n\n`,
  // It repeats all of the answer in its last event, and has no [DONE].
  done: '',
  tooLong: ({ prompt, context }) =>
    JSON.stringify(base(2013, `invalid params, context window exceeds limit (${context}), got ${prompt}`)),
  busy: { status: 200, body: base(1002, 'rate limit, please retry later') },
  breaks: ({ message, status }) =>
    `data: ${JSON.stringify(base(status === 403 ? 1004 : 1000, status === 403 ? `permission denied: ${message}` : message))}\n\n`,
})
