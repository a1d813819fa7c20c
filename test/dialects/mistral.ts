/** Mistral, Magistral included: content as parts where a model thinks, whole calls, pydantic's errors. */
import { type Dialect, event, plainDeltas, plainFinish } from './server.ts'

export const dialect: Dialect = {
  name: 'Mistral',
  toDeltas: ({ reasoning, text = '', calls = [] }) =>
    reasoning
      ? [
          { content: [{ type: 'thinking', thinking: [{ type: 'text', text: reasoning }] }] },
          { content: [{ type: 'text', text: text.slice(0, 1) }] },
          { content: text.slice(1) },
        ]
      : [
          ...plainDeltas({ text }),
          ...calls.map((called, index) => ({ tool_calls: [{ index, id: `id${index}`, function: called }] })),
        ],
  finish: plainFinish,
  toError: (message) =>
    event({ object: 'error', message: { detail: [{ loc: ['body'], msg: message }] }, code: 400 }),
}
