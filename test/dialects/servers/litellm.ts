/** LiteLLM in front of Claude: the words of three programs in one message, and no tool turns without tools. */
import { type Asked, openAILike, type Refusal, refusal } from '../dialect.ts'

function says(message: string): Refusal {
  const inner = JSON.stringify({ type: 'error', error: { type: 'invalid_request_error', message } })
  return refusal(
    400,
    `litellm.BadRequestError: AnthropicException - ${inner}. Received Model Group=m\nAvailable Model Group Fallbacks=None`,
    { code: '400' },
  )
}

function refuse({
  body: { temperature, top_p, n = 1, messages, tools, ...body },
}: Asked): Refusal | undefined {
  if (n > 1 || body.seed !== undefined) {
    const params = [n > 1 && "'n'", body.seed !== undefined && "'seed'"].filter(Boolean).join(', ')
    return refusal(
      400,
      `litellm.UnsupportedParamsError: anthropic does not support parameters: [${params}], for model=m. To drop these, set \`litellm.drop_params=True\` or for proxy: \`litellm_settings: drop_params: true\``,
      { code: '400' },
    )
  }
  if (temperature !== undefined && top_p !== undefined)
    return says('`temperature` and `top_p` cannot both be specified for this model. Please use only one.')
  if (messages.some(({ content }) => typeof content === 'string' && content.trim() === ''))
    return says('system: text content blocks must contain non-whitespace text')
  if (!tools && messages.some(({ role, tool_calls }) => role === 'tool' || tool_calls))
    return refusal(
      400,
      'litellm.UnsupportedParamsError: Anthropic expects the `tools=` param to be passed in when a tool call is made.',
      { code: '400' },
    )
  return undefined
}

export const dialect = openAILike({
  name: 'LiteLLM, Claude behind it',
  address: 'http://127.0.0.1:4000/v1',
  refuse,
  reasoningIn: 'reasoning_content',
  tooLong: ({ prompt, context }) => says(`prompt is too long: ${prompt} tokens > ${context} maximum`),
  busy: refusal(
    529,
    'litellm.InternalServerError: AnthropicException - Overloaded. Handle with `litellm.InternalServerError`.',
    { code: '529' },
  ),
  breaks: ({ message, status }) =>
    `data: ${JSON.stringify({ error: { message: `litellm.APIError: AnthropicException - ${message}`, type: null, param: null, code: String(status) } })}\n\n`,
})
