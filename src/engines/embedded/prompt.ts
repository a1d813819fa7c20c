/** Turns messages into tokens. Only the template writes special tokens: text that looks like one stays text. */
import type { Message } from '../../core/provider/engine.ts'
import { textOf } from '../../core/provider/engine.ts'
import { EngineError } from '../../core/provider/errors.ts'
import { rewriteFor } from '../upstream/rewrites.ts'

/** What rendering needs to know of a model. */
export interface Vocabulary {
  chatTemplate: string
  tokens: string[]
  tokenTypes: number[]
  bos: number | undefined
  isBosWanted: boolean
  bosText: string
  eosText: string
  /** Tokens of plain text: only user-defined tokens of the vocabulary are special in it. */
  tokenize(text: string): number[]
  isEndOfGeneration(token: number): boolean
  compileTemplate(template: string): (variables: Record<string, unknown>) => string
}

const UNKNOWN = 2
const CONTROL = 3
const USER_DEFINED = 4

/**
 * Returns a function from messages to the tokens of the model's own chat template, the generation prompt included.
 * Text that looks like a special token is replaced by a marker before rendering, so that all special tokens in the
 * rendered text are the template's own; it becomes plain text again when the rendered text is tokenized.
 * The function throws an EngineError of kind `refused` for content that is not text, and if the template refuses it.
 */
export function createRenderer(vocabulary: Vocabulary, engine: string) {
  const { chatTemplate, bos, isBosWanted } = vocabulary
  const write = createWriter(vocabulary, engine)
  const specials = findSpecials(vocabulary)
  const names = [...specials.keys()].sort((a, b) => b.length - a.length)
  const special = new RegExp(`(${names.map(escapeRegExp).join('|') || '(?!)'})`)

  return (messages: Message[]): number[] => {
    const turns = messages.map((message) => simplify(message, chatTemplate, engine))
    const marker = chooseMarker(JSON.stringify(turns))
    const hideName = (part: string, i: number) => (i % 2 ? `${marker}${names.indexOf(part)}@` : part)
    const hide = (text: string) => text.split(special).map(hideName).join('')
    const hidden = new RegExp(`${marker}(\\d+)@`)
    const parts = write(mapStrings(turns, hide) as Turn[], marker).split(special)
    const tokens = parts.flatMap((part, i) => {
      const token = specials.get(part)
      return i % 2 && token !== undefined ? [token] : tokenizePlain(part.split(hidden))
    })
    return isBosWanted && bos !== undefined && tokens[0] !== bos ? [bos, ...tokens] : tokens
  }

  /** Tokens of text; every second part is the number of a special text that was replaced. */
  function tokenizePlain(parts: string[]): number[] {
    const pieces = ['']
    const add = (text: string) => pieces.push((pieces.pop() ?? '') + text)
    for (const [i, part] of parts.entries()) {
      const name = i % 2 ? (names[Number(part)] ?? '') : part
      add(name.slice(0, i % 2))
      // The tokenizer finds a user-defined token in any text, unless it is cut in two.
      if (i % 2 && vocabulary.tokenTypes[specials.get(name) ?? 0] === USER_DEFINED) pieces.push('')
      add(name.slice(i % 2))
    }
    return pieces.filter(Boolean).flatMap((piece) => vocabulary.tokenize(piece))
  }
}

/** Makes the function that writes turns by the template. `marker` stands in no text. */
function createWriter(
  { chatTemplate, bosText, eosText, compileTemplate }: Vocabulary,
  engine: string,
): (turns: Turn[], marker: string) => string {
  const render = compileTemplate(chatTemplate)
  const isOpaque = copiesContent(chatTemplate)
  /** Conversations without their texts, as the template writes them. */
  const frames = new Map<string, string>()

  /** Undefined if the template refuses these roles. */
  function renderFrame(turns: Turn[]): string | undefined {
    try {
      return renderTurns(turns)
    } catch {
      return undefined
    }
  }

  function renderTurns(messages: Message[] | Turn[]): string {
    return render({ messages, add_generation_prompt: true, bos_token: bosText, eos_token: eosText })
  }

  function write(turns: Message[]): string {
    try {
      return renderTurns(turns)
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      // Some templates refuse two turns of one role, or know no system role.
      const rewrite = rewriteFor(reason, turns, true) ?? rewriteFor('system role', turns, true)
      if (rewrite) return write(rewrite.rewrite(turns, true))
      const problem = `the model's chat template refuses the messages: ${reason}`
      throw new EngineError(engine, 'refused', problem, { cause })
    }
  }

  /** Writes names for the texts, which then take their places: conversations of the same roles are rendered once. */
  return (turns, marker) => {
    if (!isOpaque) return write(turns as Message[])
    const short = turns.map((turn, i) => ({ ...turn, content: `${marker}text${i}@` }))
    const key = JSON.stringify(short)
    const frame = frames.get(key) ?? renderFrame(short)
    if (frame === undefined) return write(turns as Message[])
    if (frames.size < MOST_FRAMES) frames.set(key, frame)
    const name = new RegExp(`${marker}text(\\d+)@`, 'g')
    return frame.replace(name, (_, i) => (turns[Number(i)] as Turn).content)
  }
}

const MOST_FRAMES = 1000

/** Whether a template only copies the texts of messages, without a condition on them or a change, and writes no date. */
function copiesContent(template: string): boolean {
  const copied = /(\+|\{\{-?)\s*message(\.content|\['content'\]|\["content"\])\s*(?=\+|-?\}\})/g
  const rest = template.replace(copied, '$1')
  return rest !== template && !/content|strftime/.test(rest)
}

/** Tokens of the messages' texts joined, for models without a chat template. */
export function renderRaw(vocabulary: Omit<Vocabulary, 'chatTemplate'>, messages: Message[], engine: string) {
  for (const message of messages) refuseMedia(message, engine)
  const tokens = vocabulary.tokenize(messages.map(textOf).join(''))
  return vocabulary.isBosWanted && vocabulary.bos !== undefined ? [vocabulary.bos, ...tokens] : tokens
}

/** Control tokens, and those user-defined tokens that the template writes or that end a text. */
function findSpecials({
  tokens,
  tokenTypes,
  chatTemplate,
  isEndOfGeneration,
}: Vocabulary): Map<string, number> {
  const isSpecial = (token: number, text: string) => {
    const type = tokenTypes[token]
    if (type === CONTROL || type === UNKNOWN) return true
    return (
      type === USER_DEFINED && text.trim() !== '' && (chatTemplate.includes(text) || isEndOfGeneration(token))
    )
  }
  const found = new Map<string, number>()
  for (const [token, text] of tokens.entries()) if (text && isSpecial(token, text)) found.set(text, token)
  return found
}

type Turn = Record<string, unknown> & { role: string; content: string }

/** A message as templates expect it: text content, `system` for `developer`, tool arguments as an object. */
function simplify(message: Message, template: string, engine: string): Turn {
  refuseMedia(message, engine)
  const role = message.role === 'developer' ? 'system' : message.role
  const { tool_calls, ...rest } = message
  if (!tool_calls?.length) return { ...rest, role, content: textOf(message) }
  if (!template.includes('tool_calls')) {
    const calls = tool_calls.map((call) => JSON.stringify(call.function))
    return { ...rest, role, content: [textOf(message), ...calls].filter(Boolean).join('\n') }
  }
  const calls = tool_calls.map((call) => ({
    ...call,
    function: { ...call.function, arguments: parse(call.function.arguments) },
  }))
  return { ...rest, role, content: textOf(message), tool_calls: calls }
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return json
  }
}

function refuseMedia({ content }: Message, engine: string): void {
  const part = Array.isArray(content) ? content.find(({ type }) => type !== 'text') : undefined
  if (part)
    throw new EngineError(
      engine,
      'refused',
      `this model reads text only, but a message has a part of type ${part.type}`,
    )
}

const escapeRegExp = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')

/** A string that is not in `text`. ASCII, because templates may write text as JSON. */
function chooseMarker(text: string): string {
  let number = 0
  while (text.includes(`@aft${number}-`)) number++
  return `@aft${number}-`
}

function mapStrings(value: unknown, map: (text: string) => string): unknown {
  if (typeof value === 'string') return map(value)
  if (Array.isArray(value)) return value.map((item) => mapStrings(item, map))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [map(key), mapStrings(item, map)]))
}
