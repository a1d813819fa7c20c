/** Ways to write the turns of a conversation for servers that do not take them as they are. Each returns its argument if there is nothing to do. */
import { type ContentPart, type Message, textOf } from '../../core/provider/engine.ts'

/** Neighbors of one role as one turn. Turns of tools and calls stay as they are. */
export function mergeTurns(messages: Message[]): Message[] {
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

/** Two turns as one, in the role of the second. */
export function joinTurns(first: Message, second: Message): Message {
  const isText = ({ content }: Message) => !Array.isArray(content)
  if (isText(first) && isText(second)) {
    return { ...second, content: [textOf(first), textOf(second)].filter(Boolean).join('\n\n') }
  }
  return { ...second, content: [...partsOf(first), ...partsOf(second)] }
}

function partsOf({ content }: Message): ContentPart[] {
  return Array.isArray(content) ? content : content ? [{ type: 'text', text: content }] : []
}

/** Who speaks, at the head of what is said: a name of its own is refused. */
export function namesInText(messages: Message[]): Message[] {
  return rewriteEach(messages, (message) => {
    const { name, ...rest } = message
    if (name === undefined) return message
    if (message.role !== 'user' || name === '') return rest
    const head: Message = { role: 'user', content: `${name}:` }
    return joinTurns(head, rest)
  })
}

/** Parts that are all text as one text. */
export function partsAsText(messages: Message[]): Message[] {
  return rewriteEach(messages, (message) => {
    const { content } = message
    const isPlain = Array.isArray(content) && content.every(({ type }) => type === 'text')
    return isPlain ? { ...message, content: content.map(({ text }) => String(text)).join('\n') } : message
  })
}

/** An empty text in place of no content. */
export function fillContent(messages: Message[]): Message[] {
  return rewriteEach(messages, (message) => {
    return message.content == null ? { ...message, content: '' } : message
  })
}

/** No content in place of a blank one beside calls, and no turn of the assistant that says nothing. */
export function dropBlank(messages: Message[]): Message[] {
  const isBlank = (message: Message) => message.role === 'assistant' && textOf(message).trim() === ''
  const kept = messages.filter((message) => !isBlank(message) || message.tool_calls?.length)
  const rewritten = rewriteEach(kept, (message) =>
    isBlank(message) && message.content != null && !hasParts(message)
      ? { ...message, content: null }
      : message,
  )
  return rewritten === kept && kept.length === messages.length ? messages : rewritten
}

const hasParts = ({ content }: Message) => Array.isArray(content) && content.length > 0

const FIELDS = ['role', 'content', 'name', 'tool_calls', 'tool_call_id']

/** Only the fields that every server knows, in messages and in calls. */
export function bareMessages(messages: Message[]): Message[] {
  return rewriteEach(messages, (message) => {
    const fields = Object.entries(message).filter(([name]) => FIELDS.includes(name))
    const calls = message.tool_calls?.map(({ id, type, function: { name, arguments: given } }) => {
      return { id, type, function: { name, arguments: given } }
    })
    const bare = { ...Object.fromEntries(fields), ...(calls && { tool_calls: calls }) } as Message
    return JSON.stringify(bare).length < JSON.stringify(message).length ? bare : message
  })
}

/** Rewrites each message; the same array if none changed. */
export function rewriteEach(messages: Message[], rewrite: (message: Message) => Message): Message[] {
  const rewritten = messages.map(rewrite)
  return rewritten.some((message, i) => message !== messages[i]) ? rewritten : messages
}
