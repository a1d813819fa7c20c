/**
 * What a kind of server accepts, what it refuses and how it answers. Each file of `servers/` says it of one kind: adding
 * a server is adding a file that exports `dialect`.
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { Message } from '../../src/core/provider/engine.ts'

/** A request as it came. */
export interface Asked {
  body: Record<string, unknown> & { messages: Message[]; n?: number; stream?: boolean }
  headers: IncomingHttpHeaders
  /** Path and query. */
  url: string
}

/** An answer that says no. */
export interface Refusal {
  status: number
  /** A text is sent as it is. */
  body: object | string
}

/** What a choice is to say, before a dialect gives it its form. */
export interface Said {
  reasoning?: string
  text?: string
  calls?: Called[]
  /** It ended at the token limit. */
  isCut?: boolean
}

export interface Called {
  name: string
  arguments: string
}

/** What goes wrong within an answer. */
export interface Trouble {
  message: string
  status: number
}

/** How a kind of server answers. `openAILike` fills in what is as OpenAI has it. */
export interface Dialect {
  /** As the table calls it. */
  name: string
  /** The address that a user gives. Requests are sent to a loopback server instead. */
  address: string
  /** Headers that a user gives. Without any there is a key. */
  headers?: Record<string, string>
  /** Why it refuses a request; undefined if it does not. */
  refuse?(asked: Asked): Refusal | undefined
  /** Its models call no tools. */
  hasNoTools?: boolean
  /** It answers one choice, whatever `n` is. */
  ignoresN?: boolean
  /** The field of a piece that holds reasoning; undefined if its models show none. */
  reasoningIn?: string
  /** It shows reasoning, in `deltas` of its own. */
  showsReasoning?: boolean
  /** The pieces of a choice, in order. */
  deltas(said: Said): object[]
  /** The message of a choice that is not streamed. */
  message(said: Said): object
  /** The word that ends a choice; null for none. */
  finish(said: Said): string | null
  /** Its finish reason stands in every piece. */
  finishesEachPiece?: boolean
  /** What it counts. */
  usage(asked: Asked, n: number): object
  /** Chunks ahead of the others. */
  first?: object[]
  /** What the last chunk with a choice holds besides it. */
  atEnd?(usage: object, choice: object): object
  /** The chunks after the last choice. */
  last(usage: object, asked: Asked): object[]
  /** One chunk on the wire. */
  frame(chunk: object): string
  /** What ends a stream. */
  done: string
  /** The content type of its streams. */
  label: string
  /** How it says that a prompt is too long; undefined if it cuts the prompt itself. */
  tooLong?(tokens: { prompt: number; context: number }): Refusal | string
  /** How it says that it has too much to do. */
  busy: Refusal
  /** How it says, within a stream, that something went wrong. */
  breaks(trouble: Trouble): string
}

/** A dialect that is as OpenAI's, except for what is given. */
export function openAILike(own: Partial<Dialect> & Pick<Dialect, 'name' | 'address'>): Dialect {
  const { reasoningIn } = own
  return {
    deltas: (said) => deltasOf(said, reasoningIn),
    message: (said) => messageOf(said, reasoningIn),
    finish: finishOf,
    usage: usageOf,
    last: (usage, { body }) => (body.stream_options ? [{ choices: [], usage }] : []),
    frame: (chunk) => `data: ${JSON.stringify(chunk)}\n\n`,
    done: 'data: [DONE]\n\n',
    label: 'text/event-stream',
    busy: refusal(503, 'The server is overloaded or not ready yet.', { type: 'server_error' }),
    breaks: ({ message, status }) => event({ error: { message, type: 'server_error', code: status } }),
    ...own,
  }
}

/** A refusal in OpenAI's form. */
export function refusal(status: number, message: string, more: object = {}): Refusal {
  return {
    status,
    body: { error: { message, type: 'invalid_request_error', param: null, code: null, ...more } },
  }
}

/** An event of a stream. */
export function event(value: object): string {
  return `data: ${JSON.stringify(value)}\n\n`
}

/** The first of these fields that a request has. */
export function firstOf(fields: string[], { body }: Asked): string | undefined {
  return fields.find((field) => body[field] !== undefined)
}

/** The first field of a request that is none of these. */
export function firstUnknown(known: string[], { body }: Asked): string | undefined {
  return Object.keys(body).find((field) => body[field] !== undefined && !known.includes(field))
}

/** Text in halves, as OpenAI streams it; then calls, each in its name and two pieces of arguments. */
export function deltasOf({ reasoning, text = '', calls = [] }: Said, reasoningIn?: string): object[] {
  const thoughts = reasoning && reasoningIn ? halves(reasoning).map((half) => ({ [reasoningIn]: half })) : []
  return [
    { role: 'assistant', content: '' },
    ...thoughts,
    ...halves(text).map((content) => ({ content })),
    ...calls.flatMap(callPieces),
  ]
}

/** Two pieces of a text; none of an empty one. */
export function halves(text: string): string[] {
  return [text.slice(0, text.length >> 1), text.slice(text.length >> 1)].filter((half) => half !== '')
}

function callPieces({ name, arguments: args }: Called, index: number): object[] {
  const start = { index, id: `call_${index}`, type: 'function', function: { name, arguments: '' } }
  return [
    { tool_calls: [start] },
    ...halves(args).map((half) => ({ tool_calls: [{ index, function: { arguments: half } }] })),
  ]
}

/** A whole message as OpenAI has it. */
export function messageOf({ reasoning, text = '', calls = [] }: Said, reasoningIn?: string): object {
  return {
    role: 'assistant',
    content: calls.length > 0 && text === '' ? null : text,
    ...(reasoning && reasoningIn && { [reasoningIn]: reasoning }),
    ...(calls.length > 0 && { tool_calls: wholeCalls(calls) }),
  }
}

/** Calls that are not cut in pieces. */
export function wholeCalls(calls: Called[]): object[] {
  return calls.map((called, index) => ({ id: `call_${index}`, type: 'function', function: called }))
}

/** The word as OpenAI has it. */
export function finishOf({ calls = [], isCut }: Said): string {
  if (isCut) return 'length'
  return calls.length > 0 ? 'tool_calls' : 'stop'
}

/** Tokens by the rule of thumb. */
export function countTokens({ body }: Asked): number {
  return Math.ceil(JSON.stringify(body.messages).length / 4)
}

/** Figures as OpenAI has them. */
export function usageOf(asked: Asked, n: number): object {
  const prompt_tokens = countTokens(asked)
  return { prompt_tokens, completion_tokens: 8 * n, total_tokens: prompt_tokens + 8 * n }
}
