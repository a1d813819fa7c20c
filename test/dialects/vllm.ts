/** vLLM with a reasoning parser: reasoning in its own field, errors as an object of kind `error`. */
import { type Dialect, event, plainDeltas, plainFinish } from './server.ts'

export const dialect: Dialect = {
  name: 'vLLM',
  toDeltas: (said) => [
    ...(said.reasoning ? [{ reasoning_content: said.reasoning }] : []),
    ...plainDeltas(said),
  ],
  finish: plainFinish,
  toError: (message) => event({ object: 'error', message, type: 'BadRequestError', code: 400 }),
}
