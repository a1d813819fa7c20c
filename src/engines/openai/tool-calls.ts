/**
 * Puts tool calls together. Servers number, name and cut them in many ways: the same number for all calls or none, the
 * name again with each piece, an id of its own for each piece, arguments as an object, one object for the list. So the
 * position of a call is our own, in the order in which calls begin.
 */
import type { ToolCall } from '../../core/provider/engine.ts'
import { extendToolCall, startToolCall, type Transcript } from '../transcript.ts'
import { stringify } from '../upstream/error-body.ts'
import { asFields, type Fields, NONE } from './fields.ts'

/** A completion's tool calls while they come. */
export interface CallTracker {
  transcript: Transcript
  /** For ids of calls that have none. */
  seed: number
  /** Names of the tools of the request. */
  names: ReadonlySet<string>
  calls: { index?: unknown; id?: string; call: ToolCall; hasEmptyStart?: boolean }[]
}

interface Piece {
  index?: unknown
  id?: string
  name: string
  arguments: string
  extra?: Fields
  extraChars: number
}

/**
 * The pieces of tool calls in a delta or a message, or in the choice that has it: `tool_calls`, the older
 * `function_call`, or what other interfaces and gateways make of them.
 */
export function callsIn(piece: Fields, choice: Fields = NONE): Fields[] {
  const { tool_calls: calls, function_call: older, tool_call: one, functionCall: other, content } = piece
  if (calls || older || one || other) return listCalls(calls || one, older || other)
  if (choice !== piece && (choice.tool_calls || choice.function_call)) return callsIn(choice)
  return Array.isArray(content) ? content.filter(isCall) : []
}

/** A part of content that is a call, as Anthropic writes it. */
function isCall(part: unknown): part is Fields {
  const { type, name } = asFields(part)
  return (type === 'tool_use' || type === 'function_call') && typeof name === 'string'
}

function listCalls(calls: unknown, older: unknown): Fields[] {
  if (Array.isArray(calls)) return calls.filter((call) => typeof call === 'object' && call !== null)
  if (typeof calls === 'object' && calls !== null) {
    const { function: called, name } = calls as Fields
    const isOne = called !== undefined || name !== undefined
    return isOne ? [calls as Fields] : listCalls(Object.values(calls), older)
  }
  return typeof older === 'object' && older !== null ? [{ function: older }] : []
}

/** Takes a piece of a call, and returns how many characters it brought. */
export function takeCall(tracker: CallTracker, wire: Fields): number {
  const piece = toPiece(wire)
  const entry = findEntry(tracker, piece)
  if (!entry) startCall(tracker, piece)
  else {
    entry.index ??= piece.index
    entry.id ??= piece.id
    const name = restOfName(entry.call.function.name, piece, tracker)
    const rest = restOfArguments(entry, piece)
    const extra = entry.call.extra_content ? undefined : piece.extra
    if (name || rest || extra) {
      const position = tracker.calls.indexOf(entry)
      extendToolCall(tracker.transcript, position, { name, arguments: rest, extra_content: extra })
    }
  }
  return piece.name.length + piece.arguments.length + piece.extraChars
}

/** What a server may add to a call for itself. */
const MAX_EXTRA_CHARS = 2 ** 16

function toPiece(wire: Fields): Piece {
  const called = asFields(wire.function ?? wire.custom ?? wire)
  const { name, arguments: given = called.parameters ?? called.input ?? called.args } = called
  return {
    index: wire.index ?? undefined,
    id: wire.id === undefined || wire.id === null || wire.id === '' ? undefined : String(wire.id),
    name: typeof name === 'string' ? name : '',
    arguments: typeof given === 'string' ? unquote(given) : given ? stringify(given) : '',
    ...readExtra(wire.extra_content),
  }
}

/** Arguments that were written as JSON twice. */
function unquote(given: string): string {
  if (!given.startsWith('"{') || !given.endsWith('}"')) return given
  try {
    const inner: unknown = JSON.parse(given)
    return typeof inner === 'string' && isWhole(inner) ? inner : given
  } catch {
    return given
  }
}

function readExtra(extra: unknown): Pick<Piece, 'extra' | 'extraChars'> {
  if (typeof extra !== 'object' || extra === null) return { extraChars: 0 }
  const extraChars = stringify(extra).length
  return extraChars > 0 && extraChars <= MAX_EXTRA_CHARS
    ? { extra: extra as Fields, extraChars }
    : { extraChars }
}

function startCall({ transcript, seed, calls }: CallTracker, piece: Piece): void {
  // Some servers give no id or one for all, but a conversation cannot continue without.
  const isFree = piece.id && !calls.some(({ call }) => call.id === piece.id)
  const id = isFree ? (piece.id as string) : `call_${seed}_${calls.length}`
  const extra = piece.extra && { extra_content: piece.extra }
  // Proxies of Claude begin with an empty object, and the arguments follow it.
  const hasEmptyStart = piece.arguments === EMPTY
  startToolCall(transcript, {
    id,
    name: piece.name,
    arguments: hasEmptyStart ? '' : piece.arguments,
    ...extra,
  })
  calls.push({
    index: piece.index,
    id: piece.id,
    call: transcript.toolCalls.at(-1) as ToolCall,
    hasEmptyStart,
  })
}

type Entry = CallTracker['calls'][number]

/** The call that a piece continues; undefined if it begins one. */
function findEntry(tracker: CallTracker, piece: Piece): Entry | undefined {
  const { calls } = tracker
  const { index, id, name } = piece
  const last = calls.at(-1)
  const byId = id === undefined ? undefined : calls.findLast((entry) => entry.id === id)
  if (index === undefined) {
    const entry = byId ?? (id !== undefined && name !== '' ? undefined : last)
    return entry && !beginsAnother(tracker, entry, piece) ? entry : undefined
  }
  const byIndex = calls.findLast((entry) => entry.index === index)
  // A piece without a name, or of a call that has begun, continues something, whatever its number is.
  if (!byIndex) {
    if (name === '') return byId ?? last
    return byId?.call.function.name === name && !isWhole(argumentsOf(byId)) ? byId : undefined
  }
  const entry = byId?.index === index ? byId : byIndex
  return beginsAnother(tracker, entry, piece) ? undefined : entry
}

/** Whether a piece that could continue a call by its number begins another one all the same. */
function beginsAnother({ names }: CallTracker, entry: Entry, piece: Piece): boolean {
  const { id, call } = entry
  const { name } = call.function
  const sofar = argumentsOf(entry)
  if (piece.name === '' || name === '') return false
  const isOpen = sofar !== '' && !isWhole(sofar)
  const isSame = piece.name === name
  if (piece.id !== undefined && id !== undefined && piece.id !== id) return !(isSame && isOpen)
  if (isSame) return piece.id === undefined && beginsAgain(sofar, piece)
  if (piece.name.startsWith(name) && !names.has(name)) return false
  const isFragment = sofar === '' && !names.has(name)
  return !isFragment
}

/** The arguments so far, those included that were not handed on. */
function argumentsOf({ call, hasEmptyStart }: Entry): string {
  return hasEmptyStart ? EMPTY : call.function.arguments
}

/** Whether arguments that are whole are followed by others, of another call with the same name. */
function beginsAgain(sofar: string, piece: Piece): boolean {
  if (!/^\s*\{/.test(piece.arguments) || !isWhole(sofar)) return false
  return piece.index === undefined || piece.arguments !== sofar
}

function isWhole(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** Of a name that comes again or grows: what is new. */
function restOfName(name: string, piece: Piece, { names }: CallTracker): string {
  if (piece.name === '' || piece.name === name) return ''
  if (piece.name.startsWith(name)) return piece.name.slice(name.length)
  return names.has(name) ? '' : piece.name
}

/** Of arguments that come again as a whole: nothing. */
function restOfArguments(entry: Entry, piece: Piece): string {
  const sofar = entry.call.function.arguments
  if (entry.hasEmptyStart) {
    if (piece.arguments === '' || piece.arguments === EMPTY) return ''
    entry.hasEmptyStart = false
    return piece.arguments.startsWith('{') ? piece.arguments : EMPTY + piece.arguments
  }
  return piece.arguments !== '' && piece.arguments === sofar && isWhole(sofar) ? '' : piece.arguments
}

const EMPTY = '{}'

/** Hands on the empty objects that nothing followed. */
export function endCalls({ transcript, calls }: CallTracker): void {
  for (const [position, entry] of calls.entries()) {
    if (!entry.hasEmptyStart) continue
    entry.hasEmptyStart = false
    extendToolCall(transcript, position, { arguments: EMPTY })
  }
}

/** Whether the arguments of all calls are JSON, or absent. */
export function areCallsWhole({ calls }: CallTracker): boolean {
  return calls.every(({ call }) => call.function.arguments === '' || isWhole(call.function.arguments))
}
