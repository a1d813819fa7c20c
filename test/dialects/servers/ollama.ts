/** Ollama: one choice whatever `n` is, whole calls that all have the number 0, and long prompts are cut in silence. */
import { halves, openAILike } from '../dialect.ts'

export const dialect = openAILike({
  name: 'Ollama',
  address: 'http://127.0.0.1:11434/v1',
  ignoresN: true,
  reasoningIn: 'reasoning',
  deltas: ({ reasoning, text = '', calls = [] }) => [
    ...(reasoning ? [{ role: 'assistant', content: '', reasoning }] : []),
    ...halves(text).map((content) => ({ role: 'assistant', content })),
    ...calls.map((called, i) => ({
      role: 'assistant',
      content: '',
      tool_calls: [{ index: 0, id: `call_${i}x`, type: 'function', function: called }],
    })),
  ],
  busy: {
    status: 503,
    body: {
      error: {
        message: 'server busy, please try again.  maximum pending requests exceeded',
        type: 'api_error',
        param: null,
        code: null,
      },
    },
  },
  breaks: ({ message, status }) =>
    `data: ${JSON.stringify({ error: { message, type: status === 403 ? 'permission_error' : 'api_error', param: null, code: null } })}\n\n`,
})
