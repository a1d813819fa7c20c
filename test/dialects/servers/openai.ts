/** OpenAI's models that do not reason: a field that they do not know is refused, and its name is in the words only. */
import { type Asked, firstUnknown, openAILike, type Refusal, refusal } from '../dialect.ts'

const known =
  'model messages n seed stream stream_options max_tokens max_completion_tokens temperature top_p frequency_penalty presence_penalty stop tools tool_choice parallel_tool_calls response_format logprobs top_logprobs user metadata store service_tier logit_bias'

/** What OpenAI checks for all its models. */
export function refuseAsOpenAI(asked: Asked): Refusal | undefined {
  const unknown = firstUnknown([...known.split(' '), 'reasoning_effort'], asked)
  if (unknown) return refusal(400, `Unrecognized request argument supplied: ${unknown}`)
  const { tools, parallel_tool_calls: parallel, metadata, store } = asked.body
  if (parallel !== undefined && !tools)
    return refusal(
      400,
      "Invalid value for 'parallel_tool_calls': it is only allowed when 'tools' are specified.",
    )
  if (metadata !== undefined && store !== true)
    return refusal(400, "The 'metadata' parameter is only allowed when 'store' is enabled.")
  return undefined
}

export const tooLong = ({ prompt, context }: { prompt: number; context: number }) =>
  refusal(
    400,
    `This model's maximum context length is ${context} tokens. However, your messages resulted in ${prompt} tokens. Please reduce the length of the messages.`,
    { param: 'messages', code: 'context_length_exceeded' },
  )

export const dialect = openAILike({
  name: 'OpenAI',
  address: 'https://api.openai.com/v1',
  refuse: (asked) =>
    asked.body.reasoning_effort === undefined
      ? refuseAsOpenAI(asked)
      : refusal(400, 'Unrecognized request argument supplied: reasoning_effort'),
  tooLong,
  busy: refusal(500, 'The server had an error while processing your request. Sorry about that!', {
    type: 'server_error',
  }),
})
