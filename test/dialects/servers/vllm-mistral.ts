/** vLLM with the tokenizer of Mistral, which checks messages as Mistral's own server does. */
import { type Asked, refusal } from '../dialect.ts'
import { refuseMessages } from './mistral.ts'
import { dialect as vllm } from './vllm.ts'

export const dialect = {
  ...vllm,
  name: 'vLLM, tokenizer of Mistral',
  refuse: (asked: Asked) => {
    const { message } = (refuseMessages(asked)?.body ?? {}) as { message?: string }
    return message === undefined ? undefined : refusal(400, message, { type: 'BadRequestError', code: 400 })
  },
}
