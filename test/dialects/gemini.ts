/** Gemini behind its compatible address and proxies: a finish reason in each piece, calls without numbers. */
import { type Dialect, plainDeltas } from './server.ts'

export const dialect: Dialect = {
  name: 'Gemini',
  finishesEachPiece: true,
  toDeltas: ({ reasoning, text, calls = [] }) => [
    ...(reasoning ? [{ content: `<thought>${reasoning}</thought>` }] : []),
    ...plainDeltas({ text }),
    ...calls.map((called) => ({ tool_calls: [{ id: '', type: 'function', function: called }] })),
  ],
  finish: () => 'stop',
  toError: (message) => JSON.stringify([{ error: { code: 400, message, status: 'INVALID_ARGUMENT' } }]),
}
