/**
 * Mistral, Magistral included: fields that it does not know are named by pydantic's path only, ids of calls have nine
 * letters, a user may not speak after a tool, and content is a list of parts while a model thinks.
 */
import {
  type Asked,
  firstUnknown,
  halves,
  messageOf,
  openAILike,
  type Refusal,
  type Said,
  wholeCalls,
} from '../dialect.ts'

const known =
  'model messages n stream max_tokens temperature top_p frequency_penalty presence_penalty stop tools tool_choice parallel_tool_calls response_format random_seed safe_prompt prompt_mode reasoning_effort metadata'

/** What its models and their chat templates refuse, also on other servers. */
export function refuseMessages({ body: { messages } }: Asked): Refusal | undefined {
  const ids = messages.flatMap(({ tool_calls = [] }) => tool_calls.map(({ id }) => id))
  const bad = ids.find((id) => !/^[a-zA-Z0-9]{9}$/.test(id))
  if (bad) return says(`Tool call id was ${bad} but must be a-z, A-Z, 0-9, with a length of 9.`)
  const at = messages.findIndex(({ role }, i) => role === 'user' && messages[i - 1]?.role === 'tool')
  if (at > 0)
    return says("Unexpected role 'user' after role 'tool'", {
      type: 'invalid_request_message_order',
      code: '3230',
    })
  return undefined
}

function refuse(asked: Asked): Refusal | undefined {
  const field = firstUnknown(known.split(' '), asked)
  if (field) {
    const wrong = {
      type: 'extra_forbidden',
      loc: ['body', field],
      msg: 'Extra inputs are not permitted',
      input: 1,
    }
    const body = {
      object: 'error',
      message: { detail: [wrong] },
      type: 'invalid_request_error',
      raw_status_code: 422,
    }
    return { status: 422, body }
  }
  return refuseMessages(asked)
}

export function says(message: string, more: object = {}): Refusal {
  const body = { object: 'error', message, type: 'invalid_request_error', param: null, code: null, ...more }
  return { status: 400, body }
}

const thinking = (text: string) => [{ type: 'thinking', thinking: [{ type: 'text', text }] }]

function message(said: Said): object {
  const { reasoning, text } = said
  return reasoning && text
    ? { role: 'assistant', content: [...thinking(reasoning), { type: 'text', text }] }
    : { ...messageOf(said), content: text ?? '' }
}

export const dialect = openAILike({
  name: 'Mistral',
  address: 'https://api.mistral.ai/v1',
  refuse,
  showsReasoning: true,
  message,
  deltas: ({ reasoning, text = '', calls = [] }) => [
    { role: 'assistant', content: '' },
    ...(reasoning ? [{ content: thinking(reasoning) }] : []),
    ...halves(text).map((half, i) => ({
      content: reasoning && i === 0 ? [{ type: 'text', text: half }] : half,
    })),
    ...(calls.length > 0
      ? [
          {
            content: '',
            tool_calls: wholeCalls(calls).map((call, index) => ({ ...call, id: `D681PevK${index}`, index })),
          },
        ]
      : []),
  ],
  last: (usage) => [{ choices: [], usage }],
  tooLong: ({ prompt, context }) =>
    says(
      `Prompt contains ${prompt} tokens and 0 draft tokens, too large for model with ${context} maximum context length`,
      {
        type: 'invalid_request_prompt',
        code: '3051',
      },
    ),
  busy: {
    status: 429,
    body: {
      object: 'error',
      message: 'Service tier capacity exceeded for this model.',
      type: 'service_tier_capacity_exceeded',
      code: '3505',
    },
  },
  breaks: ({ message, status }) =>
    `data: ${JSON.stringify({ object: 'error', message, type: 'internal_server_error', raw_status_code: status, code: String(status) })}\n\n`,
})
