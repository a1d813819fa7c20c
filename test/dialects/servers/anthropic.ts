/**
 * Claude at Anthropic's compatible address: most fields are ignored, system messages are joined at the head, and errors
 * in a stream have an event name.
 */
import { type Asked, openAILike, type Refusal } from '../dialect.ts'

function refuse({ body }: Asked): Refusal | undefined {
  const { temperature, top_p, n, messages, tools } = body
  if (n !== undefined && n !== 1) return says('n: must be 1')
  if (temperature !== undefined && top_p !== undefined)
    return says('`temperature` and `top_p` cannot both be specified for this model. Please use only one.')
  const blank = messages.findIndex(({ content }) => typeof content === 'string' && content.trim() === '')
  if (blank >= 0) {
    const place = messages[blank]?.role === 'system' ? 'system' : `messages.${blank}`
    return says(`${place}: text content blocks must contain non-whitespace text`)
  }
  if (!tools && messages.some(({ role, tool_calls }) => role === 'tool' || tool_calls))
    return says('Requests which include `tool_use` or `tool_result` blocks must define tools')
  return undefined
}

function says(message: string): Refusal {
  const error = { code: 'invalid_request_error', message, type: 'invalid_request_error', param: null }
  return { status: 400, body: { error } }
}

export const dialect = openAILike({
  name: 'Anthropic, compatible address',
  address: 'https://api.anthropic.com/v1',
  refuse,
  tooLong: ({ prompt, context }) => says(`prompt is too long: ${prompt} tokens > ${context} maximum`),
  busy: { status: 529, body: { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } } },
  breaks: ({ message, status }) => {
    const type = status === 403 ? 'permission_error' : 'overloaded_error'
    return `event: error\ndata: ${JSON.stringify({ type: 'error', error: { type, message } })}\n\n`
  },
})
