/** Where a conversation stands: in the turn of its user, or at a step of a loop of tool calls that follows it. */
import { createHash } from 'node:crypto'
import { type ContentPart, type Message, textOf } from '../core/provider/engine.ts'

/** A turn of the user, and how far its loop of tool calls has come. */
export interface Turn {
  /** Steps before this one: 0 if the user has just spoken. */
  step: number
  /** Number of messages up to the user's own, this included. */
  length: number
  /** Hash of these messages, without system prompts: some clients put the time of day into those. */
  hash: string
  /** Hash of the system prompts of the conversation. */
  system: string
  /** Ids of the tool calls since then. */
  callIds: string[]
}

/** Finds the last turn of the user; undefined if there is none. */
export function findTurn(messages: Message[]): Turn | undefined {
  const at = messages.findLastIndex((message, i) => isUsers(message, messages[i - 1]))
  if (at === -1) return undefined
  const since = messages.slice(at + 1)
  const calling = since.filter(({ tool_calls: calls }) => calls?.length)
  const hasResults = since.some(({ role }) => role === 'tool')
  return {
    step: hasResults ? Math.max(1, calling.length) : 0,
    length: at + 1,
    hash: hashOf(messages.slice(0, at + 1).filter((message) => !isSystem(message))),
    system: hashOf(messages.filter(isSystem)),
    callIds: calling.flatMap(({ tool_calls: calls = [] }) => calls.map(({ id }) => id)),
  }
}

function isSystem({ role }: Message): boolean {
  return role === 'system' || role === 'developer'
}

/** What an agent adds for itself to the results of tools, as Claude Code does. */
const REMINDER = /<system-reminder>[\s\S]*?<\/system-reminder>/g

/**
 * Whether the user speaks. A message right after the result of a tool that holds nothing but images, files or reminders
 * belongs to that result.
 */
function isUsers(message: Message, before: Message | undefined): boolean {
  if (message.role !== 'user') return false
  return before?.role !== 'tool' || textOf(message).replace(REMINDER, '').trim() !== ''
}

/** A hash of what the messages say. Their form does not matter: a text may be a string or parts, with marks for a cache. */
function hashOf(messages: Message[]): string {
  const said = messages.map((message) => {
    const { role, name, tool_calls: calls, tool_call_id: id } = message
    const called = calls?.map((call) => [call.id, call.function.name, call.function.arguments])
    return [role, contentOf(message), name, called, id]
  })
  return createHash('sha256').update(JSON.stringify(said)).digest('base64')
}

function contentOf(message: Message): unknown {
  const { content } = message
  if (!Array.isArray(content) || content.every(({ type }) => type === 'text')) return textOf(message)
  return content.map(({ cache_control, ...part }: ContentPart & { cache_control?: unknown }) => part)
}
