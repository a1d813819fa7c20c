/** MiMo and gateways like it: a stream ends with [DONE] and what was counted, and never with a finish reason. */
import { openAILike } from '../dialect.ts'

export const dialect = openAILike({
  name: 'MiMo, no finish reasons',
  address: 'https://gateway.example/v1',
  ignoresN: true,
  reasoningIn: 'reasoning_content',
  finish: ({ isCut }) => (isCut ? 'length' : null),
  tooLong: ({ context }) => ({
    status: 400,
    body: {
      error: { message: `input token count exceeds the maximum of ${context}`, code: 'invalid_request' },
    },
  }),
})
