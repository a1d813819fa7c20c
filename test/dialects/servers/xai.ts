/** xAI: fields that a model does not take are named as its own program calls them. */
import { firstOf, openAILike, type Refusal } from '../dialect.ts'

const says = (error: string, status = 400): Refusal => ({
  status,
  body: { code: 'Client specified an invalid argument', error },
})
const names: Record<string, string> = {
  presence_penalty: 'presencePenalty',
  frequency_penalty: 'frequencyPenalty',
  reasoning_effort: 'reasoningEffort',
  stop: 'stop',
}

export const dialect = openAILike({
  name: 'xAI',
  address: 'https://api.x.ai/v1',
  refuse: (asked) => {
    const field = firstOf(Object.keys(names), asked)
    return field ? says(`Model m does not support parameter ${names[field]}.`) : undefined
  },
  reasoningIn: 'reasoning_content',
  tooLong: ({ prompt, context }) =>
    says(`This model's maximum prompt length is ${context} but the request contains ${prompt} tokens.`),
  busy: {
    status: 503,
    body: {
      code: 'The service is currently unavailable',
      error:
        'Service temporarily unavailable. The model is at capacity and currently cannot serve this request.',
    },
  },
  breaks: ({ message, status }) =>
    `data: ${JSON.stringify({ code: status === 403 ? 'The caller does not have permission' : 'The service is currently unavailable', error: message })}\n\n`,
})
