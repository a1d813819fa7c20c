/** Turns that a chat template or a gateway refuses, written in another way without losing what they say. */
import { type Message, textOf } from '../core/provider/engine.ts'

/** A way to write messages. */
export type Rewrite = 'no-blank-system' | 'system-first' | 'merged-turns' | 'system-in-user' | 'tools-as-text'

interface Rewriting {
  name: Rewrite
  /** What the refusal says. */
  words: RegExp
  /** How a reader is told. */
  text: string
  /** The same array if there is nothing to rewrite. */
  rewrite(messages: Message[], hasTools: boolean): Message[]
}

const isSystem = ({ role }: Message) => role === 'system' || role === 'developer'

/** In the order in which they are tried: the first that the refusal may mean and that changes something. */
const rewritings: Rewriting[] = [
  {
    name: 'no-blank-system',
    words:
      /non-?(whitespace|empty|blank)|(not|n't|cannot|can't) be (empty|blank)|is (empty|blank)|empty (text|content|message)|at least 1 char|min(imum)?[ _]?length/i,
    text: 'the model refuses a blank system message, so it is left out',
    rewrite: (messages) => {
      const kept = messages.filter((m) => !(isSystem(m) && textOf(m).trim() === ''))
      return kept.length === messages.length ? messages : kept
    },
  },
  {
    name: 'tools-as-text',
    words:
      /tool_use|tool_result|tool_calls?\b|tools ?= ?|toolConfig|toolUse|define tools|role[^.]{0,20}\btool\b|\btool\b[^.]{0,20} role|Only user/i,
    text: 'the model refuses turns of tools in a request without tools, so they are sent as text',
    rewrite: (messages, hasTools) => (hasTools ? messages : toolsAsText(messages)),
  },
  {
    name: 'system-first',
    words:
      /system[^.]{0,60}(first|begin|start|head|top)|(first|begin|start)[^.]{0,40}system|system|developer/i,
    text: 'the model takes a system message at the head only, so it is moved there',
    rewrite: systemFirst,
  },
  {
    name: 'merged-turns',
    words: /alternat|consecutive|multiple .{0,12}roles? in a row|same role/i,
    text: 'the model refuses two turns of one role in a row, so they are joined',
    rewrite: mergeTurns,
  },
  {
    name: 'system-in-user',
    words:
      /system|developer|alternat|Only user|(must|should) (start|begin) with[^.]{0,12}user|first (message|turn)[^.]{0,20}user|(invalid|unknown|unsupported|unexpected)[^.]{0,12}role/i,
    text: "the model refuses system messages, so their text stands before the user's",
    rewrite: systemInUser,
  },
]

/** What a refusal in these words asks for; undefined if nothing that would change these messages. */
export function rewriteFor(words: string, messages: Message[], hasTools: boolean): Rewriting | undefined {
  return rewritings.find((r) => r.words.test(words) && r.rewrite(messages, hasTools) !== messages)
}

/** Rewrites messages; the same array if there is nothing to rewrite. */
export function rewriteMessages(name: Rewrite, messages: Message[], hasTools: boolean): Message[] {
  return rewritings.find((r) => r.name === name)?.rewrite(messages, hasTools) ?? messages
}

/** One system message with the text of all, before everything else. */
function systemFirst(messages: Message[]): Message[] {
  const systems = messages.filter(isSystem)
  if (systems.length === 0 || (systems.length === 1 && messages[0]?.role === 'system')) return messages
  return [{ role: 'system', content: joinTexts(systems) }, ...messages.filter((m) => !isSystem(m))]
}

/** The system's text at the head of the first user turn. */
function systemInUser(messages: Message[]): Message[] {
  const systems = messages.filter(isSystem)
  if (systems.length === 0) return messages
  const turns = messages.filter((m) => !isSystem(m))
  const text = joinTexts(systems)
  const head: Message = { role: 'user', content: text }
  const [first] = turns
  if (text.trim() === '') return turns
  return first?.role === 'user' ? [joinTurns(head, first), ...turns.slice(1)] : [head, ...turns]
}

function joinTexts(messages: Message[]): string {
  return messages
    .map(textOf)
    .filter((text) => text.trim() !== '')
    .join('\n\n')
}

/** Neighbors of one role as one turn. Turns of tools and calls stay as they are. */
function mergeTurns(messages: Message[]): Message[] {
  const merged: Message[] = []
  for (const message of messages) {
    const before = merged.at(-1)
    const isPlain = message.role === 'user' || message.role === 'assistant'
    const isSame = isPlain && before?.role === message.role && !before.tool_calls && !message.tool_calls
    if (before && isSame) merged[merged.length - 1] = joinTurns(before, message)
    else merged.push(message)
  }
  return merged.length === messages.length ? messages : merged
}

function joinTurns(first: Message, second: Message): Message {
  const isText = ({ content }: Message) => !Array.isArray(content)
  if (isText(first) && isText(second)) {
    return { ...second, content: [textOf(first), textOf(second)].filter(Boolean).join('\n\n') }
  }
  const partsOf = ({ content }: Message) =>
    Array.isArray(content) ? content : content ? [{ type: 'text', text: content }] : []
  return { ...second, content: [...partsOf(first), ...partsOf(second)] }
}

/** Calls and results of tools as plain turns. */
function toolsAsText(messages: Message[]): Message[] {
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
