/** Ollama: one choice whatever `n` is, whole calls that all have the number 0, reasoning in `reasoning`. */
import { type Dialect, plainDeltas, plainError } from './server.ts'

export const dialect: Dialect = {
  name: 'Ollama',
  ignoresN: true,
  toDeltas: ({ reasoning, text, calls = [] }) => [
    ...(reasoning ? [{ reasoning }] : []),
    ...plainDeltas({ text }),
    ...calls.map((called, i) => ({
      tool_calls: [{ index: 0, id: `call_${i}x`, type: 'function', function: called }],
    })),
  ],
  finish: () => 'stop',
  toError: plainError,
}
