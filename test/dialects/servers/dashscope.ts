/** Qwen at DashScope: some models think only in streams, and a figure may be a text. */
import { countTokens, openAILike, type Refusal, refusal } from '../dialect.ts'

const says = (message: string, status = 400): Refusal =>
  refusal(status, message, { code: 'invalid_parameter_error' })

export const dialect = openAILike({
  name: 'DashScope (Qwen)',
  address: 'https://dashscope-intl.aliyuncs.com/compatible-mode/v1',
  ignoresN: true,
  reasoningIn: 'reasoning_content',
  usage: (asked) => ({ prompt_tokens: String(countTokens(asked)), completion_tokens: '8' }),
  tooLong: ({ context }) =>
    says(`<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, ${context}]`),
  busy: refusal(429, 'You exceeded your current requests list.', {
    type: 'limit_requests',
    code: 'limit_requests',
  }),
  breaks: ({ message, status }) =>
    `event: error\ndata: ${JSON.stringify({ code: status === 403 ? 'AccessDenied' : 'InternalError', message, request_id: 'r' })}\n\n`,
})
