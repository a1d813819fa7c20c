/** Claude behind the Bedrock access gateway: FastAPI's `detail`, with the words of Bedrock in it. */
import { type Asked, halves, openAILike, type Refusal } from '../dialect.ts'

const PREFIX = 'An error occurred (ValidationException) when calling the ConverseStream operation: '

function refuse({ body }: Asked): Refusal | undefined {
  const { temperature, top_p, messages, tools } = body
  if (temperature !== undefined && top_p !== undefined)
    return says(
      'The model returned the following errors: `temperature` and `top_p` cannot both be specified for this model. Please use only one.',
    )
  if (messages.some(({ content }) => typeof content === 'string' && content.trim() === ''))
    return says(
      'The text field in the ContentBlock object at system.0 is blank. Add text to the text field, and try again.',
    )
  if (messages.find(({ role }) => role !== 'system')?.role !== 'user')
    return says(
      'A conversation must start with a user message. Try again with a conversation that starts with a user message.',
    )
  if (!tools && messages.some(({ role, tool_calls }) => role === 'tool' || tool_calls))
    return says('The toolConfig field must be defined when using toolUse and toolResult content blocks.')
  return undefined
}

function says(message: string, status = 400): Refusal {
  return { status, body: { detail: PREFIX + message } }
}

export const dialect = openAILike({
  name: 'Bedrock access gateway',
  address: 'https://gateway.example/api/v1',
  refuse,
  ignoresN: true,
  showsReasoning: true,
  deltas: ({ reasoning, text = '', calls = [] }) => [
    ...(reasoning ? [{ content: '<think>' }, { content: reasoning }, { content: '</think>' }] : []),
    ...halves(text).map((content) => ({ role: 'assistant', content })),
    ...calls.flatMap((called, index) => [
      {
        tool_calls: [
          {
            index: index + 1,
            id: `tooluse_${index}`,
            type: 'function',
            function: { name: called.name, arguments: '' },
          },
        ],
      },
      { tool_calls: [{ index: index + 1, function: { arguments: called.arguments } }] },
    ]),
  ],
  tooLong: () => says('Input is too long for requested model.'),
  busy: {
    status: 429,
    body: {
      detail: 'An error occurred (ThrottlingException): Too many requests, please wait before trying again.',
    },
  },
})
