/** OpenRouter: reasoning in two fields, and the words of a provider within its own error. */
import { type Dialect, event, plainDeltas, plainFinish } from './server.ts'

export const dialect: Dialect = {
  name: 'OpenRouter',
  ignoresN: true,
  toDeltas: (said) => [
    ...(said.reasoning
      ? [{ reasoning: said.reasoning, reasoning_details: [{ type: 'reasoning.text', text: said.reasoning }] }]
      : []),
    ...plainDeltas(said),
  ],
  finish: plainFinish,
  toError: (message) => {
    const error = { code: 400, message: 'Provider returned error', metadata: { raw: message } }
    return event({ error, choices: [{ index: 0, delta: { content: '' }, finish_reason: 'error' }] })
  },
}
