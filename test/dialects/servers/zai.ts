/** GLM at Z.ai: a broken answer ends with a word of its own, and errors have numbers. */
import { openAILike, type Refusal } from '../dialect.ts'

const says = (code: string, message: string, status: number): Refusal => ({
  status,
  body: { error: { code, message } },
})

export const dialect = openAILike({
  name: 'Z.ai (GLM)',
  address: 'https://api.z.ai/api/paas/v4',
  refuse: ({ body: { messages } }) =>
    messages.some(({ content }) => typeof content === 'string' && content.trim() === '')
      ? says('1213', 'The prompt parameter was not received normally: content cannot be empty', 400)
      : undefined,
  ignoresN: true,
  reasoningIn: 'reasoning_content',
  atEnd: (usage) => ({ usage }),
  last: () => [],
  tooLong: () => says('1261', 'Prompt exceeds max length', 400),
  busy: says('1302', 'Rate limit reached for requests', 429),
  breaks: ({ message, status }) =>
    status === 403
      ? `data: ${JSON.stringify({ error: { code: '403', message } })}\n\n`
      : `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: '' }, finish_reason: 'network_error' }] })}\n\ndata: [DONE]\n\n`,
})
