/** LM Studio: errors are texts or events with a name, and no blank messages. */
import { openAILike, type Refusal } from '../dialect.ts'

const says = (error: string): Refusal => ({ status: 400, body: { error } })

export const dialect = openAILike({
  name: 'LM Studio',
  address: 'http://127.0.0.1:1234/v1',
  refuse: ({ body: { messages, response_format: format } }) => {
    const isBlank = messages.some(({ content }) => typeof content === 'string' && content.trim() === '')
    if (isBlank) return says("Invalid 'messages' in payload: 'content' is empty")
    if ((format as { type?: string } | undefined)?.type === 'json_object')
      return says("'response_format.type' must be 'json_schema' or 'text'")
    return undefined
  },
  ignoresN: true,
  reasoningIn: 'reasoning_content',
  tooLong: ({ prompt, context }) =>
    says(
      `The number of tokens to keep from the initial prompt is greater than the context length (n_keep: ${prompt}>= n_ctx: ${context}). Try to load the model with a larger context length, or provide a shorter input.`,
    ),
  busy: { status: 503, body: { error: 'Model is unloaded or busy. Try again.' } },
  breaks: ({ message, status }) => {
    const code = status === 403 ? 'permission_denied' : 'unknown_error'
    return `event: error\ndata: ${JSON.stringify({ error: { message, code } })}\n\n`
  },
})
