/** Ways to write calls and results of tools for servers that do not take them as they are. Each returns its argument if there is nothing to do. */
import { type Message, type ToolCall, textOf } from '../../core/provider/engine.ts'
import { hashParts } from '../../lib/random.ts'
import { joinTurns, mergeTurns, rewriteEach } from './turns.ts'

/** Calls and results of tools as plain turns. */
export function toolsAsText(messages: Message[]): Message[] {
  if (!messages.some((m) => m.role === 'tool' || m.tool_calls?.length)) return messages
  const names = new Map(messages.flatMap((m) => m.tool_calls ?? []).map((c) => [c.id, c.function.name]))
  const plain = messages.map((message): Message => {
    if (message.role === 'tool') {
      const name = names.get(message.tool_call_id ?? '') ?? message.name ?? 'a tool'
      return { role: 'user', content: `Result of ${name}: ${textOf(message)}` }
    }
    const { tool_calls: calls = [], ...turn } = message
    if (calls.length === 0) return turn
    const lines = calls.map(({ function: f }) => `Call of ${f.name}: ${f.arguments}`)
    return { ...turn, content: [textOf(message), ...lines].filter(Boolean).join('\n') }
  })
  return mergeTurns(plain)
}

/** What a user says right after a tool, at the end of the tool's result. */
export function textInResults(messages: Message[]): Message[] {
  const kept: Message[] = []
  for (const message of messages) {
    const before = kept.at(-1)
    if (message.role === 'user' && before?.role === 'tool') {
      kept[kept.length - 1] = { ...joinTurns(before, message), ...placeOf(before) }
    } else kept.push(message)
  }
  return kept.length === messages.length ? messages : kept
}

const placeOf = ({ role, name, tool_call_id }: Message) => ({ role, tool_call_id, ...(name && { name }) })

/** Ids of nine letters and digits, as the strictest server wants them. An id that is one already stays. */
export function shortenIds(messages: Message[]): Message[] {
  return rewriteEach(messages, (message) => {
    const { tool_calls: calls, tool_call_id: id } = message
    const isGood = (calls ?? []).every((call) => isShort(call.id)) && (id === undefined || isShort(id))
    if (isGood) return message
    return {
      ...message,
      ...(calls && { tool_calls: calls.map((call) => ({ ...call, id: shorten(call.id) })) }),
      ...(id !== undefined && { tool_call_id: shorten(id) }),
    }
  })
}

const ID_CHARS = 9
const isShort = (id: string) => /^[a-zA-Z0-9]{9}$/.test(id)

function shorten(id: string): string {
  if (isShort(id)) return id
  const digits = hashParts(id, 'a').toString(36) + hashParts(id, 'b').toString(36)
  return digits.padEnd(ID_CHARS, '0').slice(0, ID_CHARS)
}

/** The word with which Google lets calls pass that its model did not sign. */
const UNSIGNED = 'skip_thought_signature_validator'

/** Calls with a signature, where there is none. */
export function signCalls(messages: Message[]): Message[] {
  return rewriteEach(messages, (message) => {
    const { tool_calls: calls } = message
    if (!calls?.some((call) => !isSigned(call))) return message
    return { ...message, tool_calls: calls.map((call) => (isSigned(call) ? call : sign(call))) }
  })
}

function isSigned({ extra_content: extra }: ToolCall): boolean {
  const { google } = (extra ?? {}) as { google?: { thought_signature?: unknown } }
  return Boolean(google?.thought_signature)
}

function sign(call: ToolCall): ToolCall {
  return { ...call, extra_content: { ...call.extra_content, google: { thought_signature: UNSIGNED } } }
}

/** The reasoning of a call, if only as an empty text. */
export function addReasoning(messages: Message[]): Message[] {
  return rewriteEach(messages, (message) => {
    const isLacking = message.role === 'assistant' && message.reasoning_content == null
    return isLacking ? { ...message, reasoning_content: '' } : message
  })
}
