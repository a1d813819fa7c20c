/** OpenAI's models that do not reason. */
import { type Dialect, plainDeltas, plainError, plainFinish } from './server.ts'

export const dialect: Dialect = {
  name: 'OpenAI',
  hidesReasoning: true,
  toDeltas: plainDeltas,
  finish: plainFinish,
  toError: plainError,
}
