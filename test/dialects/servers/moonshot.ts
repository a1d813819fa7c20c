/** Kimi at Moonshot: what it counted stands within the last choice, and reasoning is wanted back with calls. */
import { openAILike, type Refusal, refusal } from '../dialect.ts'

const says = (message: string, status = 400): Refusal =>
  refusal(status, message, { param: undefined, code: undefined })

export const dialect = openAILike({
  name: 'Moonshot (Kimi)',
  address: 'https://api.moonshot.ai/v1',
  refuse: ({ body: { messages, temperature = 1 } }) => {
    const at = messages.findIndex((message) => message.tool_calls && message.reasoning_content === undefined)
    if (at >= 0)
      return says(
        `thinking is enabled but reasoning_content is missing in assistant tool call message at index ${at}`,
      )
    return temperature === 1 ? undefined : says('invalid temperature: only 1 is allowed for this model')
  },
  reasoningIn: 'reasoning_content',
  atEnd: (usage, choice) => ({ choices: [{ ...choice, usage }] }),
  last: () => [],
  finish: ({ isCut, calls }) => (isCut ? 'length' : calls ? 'tool_calls' : 'stop'),
  tooLong: ({ prompt, context }) =>
    says(`Invalid request: Your request exceeded model token limit: ${context} (requested: ${prompt})`),
  busy: refusal(429, 'The engine is currently overloaded, please try again later', {
    type: 'engine_overloaded_error',
  }),
  breaks: ({ message, status }) =>
    `data: ${JSON.stringify({ error: { message, type: status === 403 ? 'permission_denied_error' : 'engine_overloaded_error' } })}\n\n`,
})
