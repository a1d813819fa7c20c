/** vLLM with parsers for reasoning and tools. */
import { openAILike, refusal } from '../dialect.ts'

export const dialect = openAILike({
  name: 'vLLM',
  address: 'http://127.0.0.1:8000/v1',
  reasoningIn: 'reasoning',
  refuse: ({ body: { n = 1, temperature } }) =>
    n > 1 && temperature === 0
      ? refusal(400, `n must be 1 when using greedy sampling, got ${n}.`, {
          type: 'BadRequestError',
          code: 400,
        })
      : undefined,
  tooLong: ({ prompt, context }) =>
    refusal(
      400,
      `This model's maximum context length is ${context} tokens. However, you requested 100 output tokens and your prompt contains at least ${prompt} input tokens, for a total of at least ${prompt + 100} tokens. Please reduce the length of the input prompt or the number of requested output tokens.`,
      { type: 'BadRequestError', param: 'input_tokens', code: 400 },
    ),
  busy: refusal(503, 'Service Unavailable', { type: 'ServiceUnavailableError', code: 503 }),
  breaks: ({ message, status }) => {
    const error = { message, type: 'BadRequestError', param: null, code: status }
    return `data: ${JSON.stringify({ error })}\n\ndata: [DONE]\n\n`
  },
})
