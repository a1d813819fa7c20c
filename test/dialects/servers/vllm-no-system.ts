/** vLLM with a chat template that knows no system role and counts turns (Gemma 2, Mistral 7B). */
import { refusal } from '../dialect.ts'
import { dialect as vllm } from './vllm.ts'

export const dialect = {
  ...vllm,
  name: 'vLLM, template without a system role',
  refuse: ({ body: { messages } }: { body: { messages: { role: string }[] } }) => {
    const says = (message: string) => refusal(400, message, { type: 'BadRequestError', code: 400 })
    const roles = messages.map(({ role }) => role)
    if (roles.includes('system') || roles.includes('developer')) return says('System role not supported')
    const turns = roles.filter((role) => role !== 'tool')
    return turns.some((role, i) => role !== (i % 2 === 0 ? 'user' : 'assistant'))
      ? says('Conversation roles must alternate user/assistant/user/assistant/...')
      : undefined
  },
}
