/** llama-server: errors in a field `error:` of the stream. */
import { type Dialect, plainDeltas, plainFinish } from './server.ts'

export const dialect: Dialect = {
  name: 'llama-server',
  toDeltas: (said) => [
    ...(said.reasoning ? [{ reasoning_content: said.reasoning }] : []),
    ...plainDeltas(said),
  ],
  finish: plainFinish,
  toError: (message) => `error: ${JSON.stringify({ code: 400, message, type: 'invalid_request_error' })}\n\n`,
}
