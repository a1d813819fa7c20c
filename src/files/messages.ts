/** Messages as files hold them: one check for prompts, rows of data and examples. */
import { type Message, roles } from '../core/provider/engine.ts'

/** Makes the error of the reader that found something wrong. */
export type Fail = (expected: string, got: unknown) => Error

/**
 * Checks a list of messages and returns it. Only an assistant's message may have no content: it calls tools.
 * @param field the list's name, such as `messages`
 * @throws what `fail` makes
 */
export function readMessages(value: unknown, field: string, fail: Fail): Message[] {
  if (!Array.isArray(value) || value.length === 0) throw fail(`\`${field}\` to be a list of messages`, value)
  for (const [i, message] of value.entries()) checkMessage(message, `${field}[${i}]`, fail)
  return value
}

function checkMessage(message: unknown, place: string, fail: Fail): void {
  if (typeof message !== 'object' || message === null || Array.isArray(message))
    throw fail(`\`${place}\` to be an object`, message)
  const { role, content } = message as Record<string, unknown>
  if (!roles.includes(role as Message['role']))
    throw fail(`\`${place}.role\` to be one of ${roles.join(', ')}`, role)
  const isContent = typeof content === 'string' || Array.isArray(content)
  const isAbsent = content === undefined || content === null
  if (!isContent && !(isAbsent && role === 'assistant'))
    throw fail(`\`${place}.content\` to be text or a list of parts`, content)
}
