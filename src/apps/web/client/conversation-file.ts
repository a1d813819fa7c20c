/**
 * A conversation as a file: JSON, alone or in a page that opens without a server. The file may come from anybody, so it
 * is read field by field.
 */
import type { ContentPart, Message } from '../../../core/provider/engine.ts'
import type { Waited } from '../../../core/provider/records.ts'
import type { UsageTotal } from '../../../core/provider/usage.ts'
import type { LayerView, Member, OtherRun, RunView, Turn } from './run.ts'
import { type Fields, flag, listOf, number, oneOf, type Read, record, text, whole } from './shapes.ts'

/** Questions and their answers, in order. */
export interface Conversation {
  id: string
  /** Milliseconds since 1970. */
  time: number
  title: string
  turns: Turn[]
  /** What a reader must know of its texts: that a person wrote them, for example. */
  about?: string
}

const TYPE = 'aft-conversation'
const MOST_CHARS = 64_000_000
const MOST_TURNS = 2_000
const MOST_LAYERS = 1_000
const MOST_MEMBERS = 100_000

/** The data element of an exported page. Nothing in it can end the element: `<` is written as an escape. */
const DATA = new RegExp(`<script type="application/json" id="${TYPE}">([^<]*)</script>`)

/** Writes a conversation as JSON. */
export function toJson({ title, time, about, turns }: Omit<Conversation, 'id'>): string {
  return `${JSON.stringify({ type: TYPE, version: 1, title, time, about, turns }, null, 1)}\n`
}

/**
 * Writes a conversation as a page.
 * @param shell the built page `export.html`, which has an empty data element
 */
export function toHtml(shell: string, conversation: Omit<Conversation, 'id'>): string {
  const data = JSON.stringify(JSON.parse(toJson(conversation))).replaceAll('<', '\\u003c')
  const title = conversation.title.slice(0, 200).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`)
  return shell
    .replace('<title>aft</title>', () => `<title>${title}</title>`)
    .replace(DATA, (element) => element.replace('>null<', () => `>${data}<`))
}

/**
 * Reads a conversation from JSON or from an exported page.
 * @throws Error that names the file, if it holds no conversation
 */
export function readConversation(name: string, content: string): Omit<Conversation, 'id'> {
  if (content.length > MOST_CHARS)
    throw new Error(`${name} is too large: expected at most ${MOST_CHARS / 1e6} million characters`)
  const found = read(parse(DATA.exec(content)?.[1] ?? content))
  if (found?.type === TYPE && found.version === 1) return found
  const version = found?.type === TYPE ? `its version is ${found.version}, this page reads version 1` : ''
  throw new Error(
    `${name} holds no conversation: ${version || 'expected a file that the button Export or `aft export` wrote'}`,
  )
}

function parse(content: string): unknown {
  try {
    return JSON.parse(content)
  } catch {
    return undefined
  }
}

const content: Read<string | ContentPart[]> = (value) =>
  text(value) ?? listOf<ContentPart>((part) => textPart(part) ?? imagePart(part), 100)(value)
const textPart = record<{ type: 'text'; text: string }>({ type: oneOf('text'), text }, 'type', 'text')
/** An image that is part of the file. An address would tell its server who reads. */
const imagePart = record<{ type: 'image_url'; image_url: { url: string } }>(
  {
    type: oneOf('image_url'),
    image_url: record<{ url: string }>(
      { url: (value) => (/^data:image\/[\w.+-]+;base64,/.test(text(value) ?? '') ? text(value) : undefined) },
      'url',
    ),
  },
  'type',
  'image_url',
)
const message = record<Pick<Message, 'role' | 'content'>>(
  { role: oneOf('system', 'developer', 'user', 'assistant', 'tool'), content: content as never },
  'role',
)

const counts: Read<Record<string, number>> = (value) =>
  typeof value === 'object' && value !== null
    ? Object.fromEntries(Object.entries(value).filter(([, n]) => number(n) !== undefined))
    : undefined

const usage = record<UsageTotal>(
  {
    calls: number,
    inputTokens: number,
    prefilledTokens: number,
    outputTokens: number,
    cachedTokens: counts,
    cost: number,
    estimated: flag,
  },
  'inputTokens',
  'outputTokens',
)

/** A new field of a member must be named here, too: otherwise it does not come back from a file. */
const memberFields: Fields<Member> = {
  index: whole(MOST_MEMBERS),
  state: (value) => (value === 'failed' ? 'failed' : 'done'),
  engine: text,
  text: (value) => text(value) ?? '',
  reasoning: (value) => text(value) ?? '',
  thoughtMs: number,
  tokens: number,
  ms: number,
  cost: number,
  excluded: oneOf('empty', 'runaway', 'schema'),
  isCut: flag,
  saw: listOf(number, MOST_MEMBERS),
  trimmedTo: number,
  error: text,
  note: () => undefined,
  waited: record<Waited>({ times: number, ms: number, because: listOf(text, 20) }, 'times', 'ms', 'because'),
}
const member = record<Member>(memberFields, 'index', 'state', 'text', 'reasoning')

const layer = record<LayerView>(
  {
    isLast: (value) => value === true,
    members: listOf(member, MOST_MEMBERS),
    shown: listOf(number, MOST_MEMBERS),
    note: () => undefined,
  },
  'members',
)

const runFields: Fields<RunView> = {
  layers: listOf(layer, MOST_LAYERS),
  // A run that was not over when it was written does not go on.
  state: (value) => (value === 'done' || value === 'failed' ? value : 'stopped'),
  answer: text,
  isCut: flag,
  from: record<{ layer: number; index: number }>(
    { layer: whole(MOST_LAYERS), index: whole(MOST_MEMBERS) },
    'layer',
    'index',
  ),
  degradedBecause: listOf(text, 1_000),
  usage,
  ms: number,
  seed: number,
  strategy: text,
  template: text,
  error: text,
}

const run = record<RunView>(runFields, 'layers', 'state', 'degradedBecause')

/** Reads a turn of a conversation. */
const turn = record<Turn>(
  {
    id: text,
    question: text,
    messages: listOf(message as Read<Message>, 10_000),
    run,
    about: text,
    others: listOf(record<OtherRun>({ run, about: text }, 'run'), 50),
    at: whole(50),
  },
  'id',
  'question',
  'messages',
  'run',
)

const read = record<Omit<Conversation, 'id'> & { type: string; version: number }>(
  {
    type: text,
    version: number,
    title: (value) => (text(value) ?? '').slice(0, 300),
    time: number,
    about: text,
    turns: listOf(turn, MOST_TURNS),
  },
  'type',
  'version',
  'title',
  'time',
  'turns',
)
