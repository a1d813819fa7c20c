/** Perplexity: turns alternate, no tools, and the whole message so far comes with each piece. */
import { openAILike, type Refusal, refusal } from '../dialect.ts'

const says = (message: string): Refusal => refusal(400, message, { type: 'invalid_message', code: 400 })

export const dialect = openAILike({
  name: 'Perplexity',
  address: 'https://api.perplexity.ai',
  refuse: ({ body: { messages } }) => {
    const head = messages.findIndex(({ role }) => role !== 'system')
    const turns = messages.slice(head)
    const isWrong = turns.some(({ role }, i) => (role === 'assistant') !== (i % 2 === 1))
    return isWrong
      ? says(
          'After the (optional) system message(s), user or tool message(s) should alternate with assistant message(s).',
        )
      : undefined
  },
  hasNoTools: true,
  ignoresN: true,
  atEnd: (usage) => ({ usage, citations: [] }),
  last: () => [],
  done: '',
  tooLong: ({ context }) => says(`Input exceeds the maximum context length of ${context} tokens.`),
  busy: refusal(500, 'Internal server error', { type: 'internal_server_error', code: 500 }),
})
