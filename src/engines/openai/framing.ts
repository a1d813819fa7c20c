/**
 * Splits the body of an answer into JSON objects. It looks at the body and not at its label: server-sent events, one
 * JSON document and JSON lines may come under any content type, and mixed.
 */

import { type Alike, type AlikeReader, readAlike } from './alike.ts'
import type { Fields } from './fields.ts'
import { broken, MAX_DOCUMENT_CHARS, MAX_LINE_CHARS, markup, tooLong } from './frame-error.ts'
import { splitObjects } from './glued.ts'

/** Gets each object that is whole; `alike` if it is the same object as an earlier one, with another text in it. */
export type Take = (chunk: Fields, alike?: Alike) => void

/** Takes an answer piece by piece. */
export interface Framer {
  /**
   * Takes a piece of the body.
   * @throws FrameError for what is neither events nor JSON, or is too long
   */
  push(text: string): void
  /** Takes the end of the body. */
  end(): void
  /** The server said that there is no more. */
  readonly isDone: boolean
  /** The first line that was passed over because it means nothing, if there was one. */
  readonly stray: string | undefined
}

interface State {
  readonly take: Take
  readonly alike: AlikeReader
  /** Of the line that has not ended yet, and its first character that is no white space. */
  rest: string
  restStart: string
  /** The read before ended in CR: an LF that follows belongs to it. */
  endedInCR: boolean
  /** Lines of data that are not JSON one by one; `isRaw` if they stood without `data:`. */
  pending: string[]
  pendingChars: number
  isRaw: boolean
  event: string
  stray?: string
  hasBegun: boolean
  isDone: boolean
  documents: number
  hasEvents: boolean
}

/** A framer for one body. `take` gets its objects as they come. */
export function createFramer(take: Take): Framer {
  const state: State = {
    take,
    alike: readAlike(),
    rest: '',
    restStart: '',
    endedInCR: false,
    pending: [],
    pendingChars: 0,
    isRaw: false,
    event: '',
    hasBegun: false,
    isDone: false,
    documents: 0,
    hasEvents: false,
  }
  return {
    push: (text) => takeText(state, text),
    end: () => takeEnd(state),
    get isDone() {
      return state.isDone
    },
    get stray() {
      return state.stray
    },
  }
}

function takeText(state: State, text: string): void {
  let lines = text
  if (state.endedInCR || text.includes('\r')) {
    if (state.endedInCR && text.startsWith('\n')) lines = text.slice(1)
    if (text !== '') state.endedInCR = text.endsWith('\r')
    lines = lines.replace(/\r\n?/g, '\n')
  }
  let from = 0
  for (let at = lines.indexOf('\n'); at >= 0 && !state.isDone; at = lines.indexOf('\n', from)) {
    const line = state.rest === '' ? lines.slice(from, at) : state.rest + lines.slice(from, at)
    state.rest = state.restStart = ''
    from = at + 1
    takeLine(state, line)
  }
  if (state.isDone) return
  if (from < lines.length) keepRest(state, lines.slice(from))
}

/** Looks at what is new only: a long line costs no more than its length. */
function keepRest(state: State, piece: string): void {
  state.rest += piece
  state.restStart ||= piece.trimStart().charAt(0)
  const { rest, restStart, hasBegun } = state
  const limit = restStart === '{' || restStart === '[' ? MAX_DOCUMENT_CHARS : MAX_LINE_CHARS
  if (rest.length > limit) throw tooLong('a line', limit, rest)
  if (restStart === '<' && !hasBegun) throw markup(rest)
}

function takeEnd(state: State): void {
  if (state.isDone) return
  if (state.rest !== '') takeLine(state, state.rest)
  state.rest = ''
  // The last event may lack its blank line.
  if (!state.isDone) dispatch(state, true)
  if (state.documents === 1 && !state.hasEvents) state.isDone = true
}

/** A line of an event stream, of a document, or of JSON lines. */
function takeLine(state: State, line: string): void {
  if (line.startsWith('data:')) takeData(state, line.charCodeAt(5) === 32 ? line.slice(6) : line.slice(5))
  else if (line === '') dispatch(state, false)
  else takeOtherLine(state, line)
}

function takeOtherLine(state: State, line: string): void {
  // JSON sequences (RFC 7464) begin each text with a record separator.
  const text = line.replace(/^\x1e/, '').trim()
  const [, name = '', value = ''] = /^([a-z]+) ?: ?(.*)$/is.exec(text) ?? []
  const field = name.toLowerCase()
  if (state.isRaw) addRaw(state, line)
  else if (text.startsWith('{') || (text.startsWith('[') && !isDone(text))) takeRaw(state, text)
  else if (field === 'data') takeData(state, value)
  else if (field === 'event') state.event = value.trim()
  else if (field === 'error') takeError(state, value)
  else if (isDone(text)) state.isDone = true
  else if (!state.hasBegun && text.startsWith('<')) throw markup(text)
  else if (text !== '' && !text.startsWith(':') && !/^(id|retry|data|event)$/.test(field || text)) {
    state.stray ??= text.slice(0, 1_000)
  }
}

function takeData(state: State, data: string): void {
  if (state.isRaw) throw broken(state.pending.join('\n'))
  state.hasBegun = state.hasEvents = true
  if (state.pending.length > 0) addPending(state, data)
  else if (data !== '') takeWhole(state, data)
}

/** Data that begins an event and is likely all of it. */
function takeWhole(state: State, data: string): void {
  const known = state.event === '' ? state.alike.read(data) : undefined
  const value = known ?? parse(data)
  if (known) state.take(known.chunk, known)
  else if (value !== undefined) {
    state.alike.learn(data, value)
    takeValue(state, value)
  } else if (isDone(data.trim())) state.isDone = true
  else addPending(state, data)
}

function isDone(text: string): boolean {
  return /^"?\[done\]"?$/i.test(text)
}

/** A line that begins a JSON document, or is one. */
function takeRaw(state: State, text: string): void {
  state.hasBegun = true
  const value = state.pending.length > 0 ? undefined : parse(text)
  if (value !== undefined) {
    state.documents++
    takeValue(state, value)
  } else {
    state.isRaw ||= state.pending.length === 0
    addPending(state, text)
  }
}

function addRaw(state: State, line: string): void {
  if (/^(id|event|data) ?:/.test(line)) throw broken(state.pending.join('\n'))
  addPending(state, line)
  if (/^[}\]]/.test(line)) tryRaw(state)
}

function tryRaw(state: State): boolean {
  const value = parse(state.pending.join('\n'))
  if (value === undefined) return false
  forget(state)
  state.documents++
  takeValue(state, value)
  return true
}

function addPending(state: State, data: string): void {
  state.pending.push(data)
  state.pendingChars += data.length + 1
  if (state.pendingChars > MAX_DOCUMENT_CHARS) {
    throw tooLong('a document', MAX_DOCUMENT_CHARS, state.pending.slice(0, 20).join('\n'))
  }
}

function forget(state: State): void {
  state.pending = []
  state.pendingChars = 0
  state.isRaw = false
}

/** Takes what waits for the end of its event. Blank lines within a document are part of it. */
function dispatch(state: State, isEnd: boolean): void {
  if (state.pending.length === 0) {
    state.event = ''
    return
  }
  if (state.isRaw) {
    if (isEnd && !tryRaw(state)) throw broken(state.pending.join('\n'))
    return
  }
  const { pending } = state
  forget(state)
  const whole = pending.join('\n')
  const value = parse(whole)
  if (value !== undefined) takeValue(state, value)
  else if (pending.length > 1) for (const line of pending) takeAlone(state, line)
  else takeAlone(state, whole)
}

/** Data that is no JSON together with other lines: alone it may be, or the end, or words. */
function takeAlone(state: State, data: string): void {
  const text = data.trim()
  if (text === '' || state.isDone) return
  const value = parse(text)
  if (value !== undefined) takeValue(state, value)
  else if (isDone(text)) state.isDone = true
  else if (text.startsWith('data:')) takeAlone(state, text.slice(5))
  else if (state.event === 'error') takeError(state, text)
  else if (/^[{["]/.test(text)) takeGlued(state, text)
  else state.stray ??= text.slice(0, 1_000)
}

/** Several objects in one event, one right after the other. */
function takeGlued(state: State, text: string): void {
  const values = splitObjects(text).map(parse)
  if (values.length < 2 || values.includes(undefined)) throw broken(text)
  for (const value of values) takeValue(state, value)
}

function takeError(state: State, text: string): void {
  state.hasBegun = true
  state.take({ error: parse(text) ?? text.trim() })
}

function takeValue(state: State, value: unknown): void {
  if (typeof value !== 'object' || value === null) {
    const inner = typeof value === 'string' && value.startsWith('{') ? parse(value) : undefined
    if (inner)
      takeValue(state, inner) // JSON that was written as JSON twice
    else if (typeof value === 'string' && isDone(value)) state.isDone = true
    else if (state.event === 'error') state.take({ error: value })
    else if (typeof value === 'string') state.stray ??= value.slice(0, 1_000)
  } else if (Array.isArray(value)) {
    for (const item of value) if (typeof item === 'object' && !Array.isArray(item)) takeValue(state, item)
  } else {
    const fields = value as Fields
    const isError = state.event === 'error' && !fields.choices && !fields.error
    state.take(isError ? { error: fields } : fields)
  }
  state.event = ''
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
