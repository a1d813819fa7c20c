/** DeepSeek: comments while a request waits, reasoning beside null content, and reasoning wanted back with calls. */
import { type Asked, countTokens, deltasOf, openAILike, type Refusal, refusal } from '../dialect.ts'

function refuse({ body: { messages, response_format: format } }: Asked): Refusal | undefined {
  if ((format as { type?: string } | undefined)?.type === 'json_schema')
    return refusal(400, 'This response_format type is unavailable now', { code: 'invalid_request_error' })
  const at = messages.findIndex((message) => message.tool_calls && message.reasoning_content === undefined)
  if (at < 0) return undefined
  const hint =
    'For more information, please refer to https://api-docs.deepseek.com/guides/thinking_mode#tool-calls'
  return refusal(
    400,
    `Missing \`reasoning_content\` field in the assistant message at message index ${at}. ${hint}`,
    {
      code: 'invalid_request_error',
    },
  )
}

export const dialect = openAILike({
  name: 'DeepSeek',
  address: 'https://api.deepseek.com',
  refuse,
  ignoresN: true,
  reasoningIn: 'reasoning_content',
  deltas: (said) =>
    deltasOf(said, 'reasoning_content').map((delta) => ({
      content: null,
      reasoning_content: null,
      ...delta,
    })),
  usage: (asked, n) => ({
    prompt_tokens: countTokens(asked),
    completion_tokens: 12 * n,
    prompt_cache_hit_tokens: 0,
    prompt_cache_miss_tokens: countTokens(asked),
  }),
  frame: (chunk) => `: keep-alive\n\ndata: ${JSON.stringify(chunk)}\n\n`,
  tooLong: ({ prompt, context }) =>
    refusal(
      400,
      `This model's maximum context length is ${context} tokens. However, you requested ${prompt + 100} tokens (${prompt} in the messages, 100 in the completion). Please reduce the length of the messages or completion.`,
      {
        code: 'invalid_request_error',
      },
    ),
  busy: {
    status: 503,
    body: 'Service is too busy. We advise users to temporarily switch to alternative LLM API service providers.',
  },
})
