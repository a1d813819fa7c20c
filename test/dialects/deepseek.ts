/** DeepSeek: reasoning_content beside null content. */
import { type Dialect, plainDeltas, plainError, plainFinish } from './server.ts'

export const dialect: Dialect = {
  name: 'DeepSeek',
  ignoresN: true,
  toDeltas: (said) => [
    ...(said.reasoning ? [{ content: null, reasoning_content: said.reasoning }] : []),
    ...plainDeltas(said).map((delta) => ({ reasoning_content: null, ...delta })),
  ],
  finish: plainFinish,
  toError: plainError,
}
