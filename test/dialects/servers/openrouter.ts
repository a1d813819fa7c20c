/** OpenRouter: comments, reasoning in two fields, and the words of a provider within its own error. */
import { type Asked, deltasOf, openAILike, type Refusal, type Said } from '../dialect.ts'

const wrap = (raw: string, code = 400) => ({
  error: { message: 'Provider returned error', code, metadata: { raw, provider_name: 'Some' } },
})

function refuse({ body: { n, messages, tools } }: Asked): Refusal | undefined {
  if (n !== undefined && n > 1) return undefined
  // The words of a provider whose chat template counts turns.
  const turns = messages.filter(({ role }) => role === 'user' || role === 'assistant')
  const isWrong = turns.some(({ role }, i) => role === turns[i - 1]?.role)
  if (!tools && isWrong)
    return {
      status: 400,
      body: wrap('{"detail":"Conversation roles must alternate user/assistant/user/assistant/..."}'),
    }
  return undefined
}

const withDetails = (said: Said) =>
  deltasOf(said, 'reasoning').map((delta) => {
    const { reasoning } = delta as { reasoning?: string }
    return reasoning === undefined
      ? { role: 'assistant', content: '', ...delta }
      : { ...delta, content: '', reasoning_details: [{ type: 'reasoning.text', text: reasoning, index: 0 }] }
  })

export const dialect = openAILike({
  name: 'OpenRouter',
  address: 'https://openrouter.ai/api/v1',
  refuse,
  ignoresN: true,
  reasoningIn: 'reasoning',
  deltas: withDetails,
  last: (usage) => [
    {
      choices: [
        {
          index: 0,
          delta: { role: 'assistant', content: '' },
          finish_reason: null,
          native_finish_reason: null,
        },
      ],
      usage: { ...usage, cost: 0.0001 },
    },
  ],
  frame: (chunk) => `: OPENROUTER PROCESSING\n\ndata: ${JSON.stringify(chunk)}\n\n`,
  tooLong: ({ prompt, context }) => {
    const message = `This endpoint's maximum context length is ${context} tokens. However, you requested about ${prompt} tokens (${prompt} of text input). Please reduce the length of either one.`
    return { status: 400, body: { error: { message, code: 400 } } }
  },
  busy: { status: 502, body: wrap('upstream connect error', 502) },
  breaks: ({ message, status }) => {
    const choice = { index: 0, delta: { content: '' }, finish_reason: 'error', native_finish_reason: 'error' }
    return `data: ${JSON.stringify({ ...wrap(message, status), choices: [choice] })}\n\n`
  },
})
