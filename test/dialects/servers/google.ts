/** Gemini at Google's compatible address: errors are a list, and calls have no numbers and need their signature again. */
import type { ToolCall } from '../../../src/core/provider/engine.ts'
import { type Asked, firstOf, halves, openAILike, type Refusal } from '../dialect.ts'

const unknown = ['seed', 'user', 'logit_bias', 'parallel_tool_calls', 'prompt_cache_key', 'store', 'metadata']

function refuse(asked: Asked): Refusal | undefined {
  const field = firstOf(unknown, asked)
  if (field) return says(`Invalid JSON payload received. Unknown name "${field}": Cannot find field.`)
  if ((asked.body.n ?? 1) > 1) return says('Multiple candidates is not enabled for this model')
  const calls = asked.body.messages.flatMap(({ tool_calls = [] }) => tool_calls)
  if (calls.some((call) => !signatureOf(call)))
    return says(
      'Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly.',
    )
  return undefined
}

function signatureOf({ extra_content: extra }: ToolCall): unknown {
  return (extra as { google?: { thought_signature?: string } } | undefined)?.google?.thought_signature
}

function says(message: string, status = 400, code = 'INVALID_ARGUMENT'): Refusal {
  return { status, body: [{ error: { code: status, message, status: code } }] }
}

export const dialect = openAILike({
  name: 'Google, compatible address',
  address: 'https://generativelanguage.googleapis.com/v1beta/openai',
  refuse,
  showsReasoning: true,
  finish: ({ isCut }) => (isCut ? 'length' : 'stop'),
  deltas: ({ reasoning, text = '', calls = [] }) => [
    ...(reasoning ? [{ role: 'assistant', content: `<thought>${reasoning}</thought>` }] : []),
    ...halves(text).map((content) => ({ role: 'assistant', content })),
    ...calls.map((called) => ({
      role: 'assistant',
      tool_calls: [
        {
          extra_content: { google: { thought_signature: 'c2lnbmVk' } },
          function: called,
          id: '',
          type: 'function',
        },
      ],
    })),
  ],
  tooLong: ({ prompt, context }) =>
    says(`The input token count (${prompt}) exceeds the maximum number of tokens allowed (${context}).`),
  busy: says('The model is overloaded. Please try again later.', 503, 'UNAVAILABLE'),
  breaks: ({ message, status }) => {
    const code = status === 403 ? 'PERMISSION_DENIED' : 'UNAVAILABLE'
    return `data: ${JSON.stringify([{ error: { code: status, message, status: code } }])}\n\n`
  },
})
