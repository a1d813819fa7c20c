/**
 * Keeps reasoning out of text. Servers without a reasoning parser leave it in the content, between `<think>` and
 * `</think>` or other tags (`reasoning-tags.ts`). Some chat templates write the opening tag themselves: then only the
 * closing one comes. The rules:
 * - An opening tag at the start of the text or of a line opens a block; one that is never closed runs to the end. Only
 *   a tag of its own family closes it.
 * - A closing tag without an opening one makes all text before it reasoning.
 * - A tag between backticks and a pair within a line are text: the answer talks about them.
 * - A channel of the harmony format is reasoning or text wherever it begins.
 * - Any other closing tag is dropped, and so is white space before the first block and after every tag.
 */
import { findStartOfTag, findTag, isGenuine, type Tag, TRIGGER } from './reasoning-tags.ts'

/** `restart`: all text so far was reasoning. It is not sent again: move what you took as text. */
export type ReasoningPart = 'text' | 'reasoning' | 'restart'

/** Separates reasoning from text while both arrive. */
export interface ReasoningSplitter {
  /** Emits what is certain after this delta; what may still become a tag is held back. */
  push(delta: string): void
  /** Emits what was held back. In what is pushed after it, a tag that began before is not found. */
  end(): void
}

/** Splits a whole text, with the same result as its deltas give. */
export function splitReasoning(whole: string): { text: string; reasoning: string } {
  const parts = { text: '', reasoning: '' }
  const splitter = createReasoningSplitter((part, text) => {
    if (part === 'restart') [parts.text, parts.reasoning] = ['', parts.text]
    else parts[part] += text
  })
  splitter.push(whole)
  splitter.end()
  return parts
}

/** What a splitter knows of the text so far. */
interface State {
  readonly emit: (part: ReasoningPart, text: string) => void
  /** What the next text is. */
  part: 'text' | 'reasoning'
  /** Received, and not emitted yet. */
  buffer: string
  /** The last character before the buffer. */
  lastChar: string
  /** The line before the buffer holds nothing but white space. */
  isBlankLine: boolean
  hasText: boolean
  /** Nothing but white space has come since a tag. */
  isAfterTag: boolean
  hadBlock: boolean
  /** Opening tags in the text that were not closed yet. */
  openPairs: number
  /** What may close the block. */
  family: string
  isHarmony: boolean
  /** The buffer is white space before all text. */
  isBlankBuffer: boolean
}

/** Splits a text that comes in deltas. `emit` gets the parts in order; a `restart` has no text. */
export function createReasoningSplitter(
  emit: (part: ReasoningPart, text: string) => void,
): ReasoningSplitter {
  const state: State = {
    emit,
    part: 'text',
    buffer: '',
    lastChar: '',
    isBlankLine: true,
    hasText: false,
    isAfterTag: false,
    hadBlock: false,
    openPairs: 0,
    family: '',
    isHarmony: false,
    isBlankBuffer: false,
  }
  return {
    push(delta) {
      if (isPlain(state, delta)) return emitText(state, delta)
      state.buffer += delta
      if (state.isBlankBuffer && delta.trim() === '') return
      emitWhatIsSure(state, false)
    },
    end: () => emitWhatIsSure(state, true),
  }
}

/** Whether a delta can be handed on without a look at what came before. */
function isPlain({ buffer, isAfterTag, hasText, part }: State, delta: string): boolean {
  return buffer === '' && !isAfterTag && (hasText || part === 'reasoning') && !TRIGGER.test(delta)
}

function emitWhatIsSure(state: State, isEnd: boolean): void {
  if (!takeTags(state, isEnd)) return
  const { buffer, part, hasText } = state
  const sureChars = isEnd ? buffer.length : findStartOfTag(buffer)
  const sure = buffer.slice(0, sureChars)
  // White space before all text belongs to the text only if no block follows it.
  const isBlank = part === 'text' && !hasText && sure.trim() === ''
  state.isBlankBuffer = isBlank && sureChars === buffer.length
  if (!isEnd && isBlank) return
  emitText(state, sure)
  state.buffer = buffer.slice(sureChars)
}

/** Takes the tags in the buffer and all text before them. False if nothing of the rest can be emitted yet. */
function takeTags(state: State, isEnd: boolean): boolean {
  for (;;) {
    if (state.isAfterTag) state.buffer = state.buffer.trimStart()
    const { buffer, lastChar } = state
    if (buffer === '') return false
    state.isAfterTag = false
    const tag = findTag(buffer, state.isHarmony)
    if (!tag) return true
    const before = buffer.slice(0, tag.index)
    const after = buffer.slice(tag.index + tag.text.length)
    const isQuoted = (before.slice(-1) || lastChar) === '`'
    if (isQuoted && after === '' && !isEnd) return false
    state.buffer = after
    if ((isQuoted && after.startsWith('`')) || !isGenuine(tag)) emitText(state, before + tag.text)
    else if (tag.family === 'harmony') takeChannel(state, before, tag)
    else if (state.part === 'reasoning') takeTagInReasoning(state, before, tag)
    else takeTagInText(state, before, tag)
  }
}

/** A header of the harmony format, or the end of one of its messages. */
function takeChannel(state: State, before: string, { kind }: Tag): void {
  const isFirst = !state.isHarmony
  state.isHarmony = true
  state.family = 'harmony'
  if (kind === 'switch-to-text' && isFirst && state.part === 'text' && !state.hadBlock) {
    closeUnopenedBlock(state, before)
    return
  }
  if (state.part === 'reasoning' || state.hasText || before.trim() !== '') emitText(state, before)
  beginPart(state, kind === 'switch-to-reasoning' ? 'reasoning' : 'text')
}

function takeTagInReasoning(state: State, before: string, { text, kind, family }: Tag): void {
  const isClosing = kind === 'close' && family === state.family
  emitText(state, isClosing ? before : before + text)
  if (isClosing) beginPart(state, 'text')
}

function takeTagInText(state: State, before: string, { text, kind, family }: Tag): void {
  const isClosing = kind === 'close'
  if (!isClosing && isBlankLineAfter(before, state.isBlankLine)) {
    if (state.hasText || before.trim() !== '') emitText(state, before)
    beginPart(state, 'reasoning')
    state.family = family
  } else if (!isClosing || state.openPairs > 0) {
    state.openPairs += isClosing ? -1 : 1
    emitText(state, before + text)
  } else if (state.hadBlock) emitText(state, before)
  else closeUnopenedBlock(state, before)
}

/** All text up to a closing tag without an opening one was reasoning. */
function closeUnopenedBlock(state: State, before: string): void {
  if (state.hasText) state.emit('restart', '')
  state.part = 'reasoning'
  emitText(state, before)
  beginPart(state, 'text')
  state.hasText = false
}

function beginPart(state: State, part: 'text' | 'reasoning'): void {
  state.part = part
  state.hadBlock = state.isAfterTag = state.isBlankLine = true
  state.lastChar = '>'
}

function emitText(state: State, text: string): void {
  if (text === '') return
  state.emit(state.part, text)
  state.lastChar = text.slice(-1)
  if (state.part === 'reasoning') return
  state.hasText = true
  state.isBlankLine = isBlankLineAfter(text, state.isBlankLine)
}

/** Whether the line that a text ends in holds nothing but white space. */
function isBlankLineAfter(text: string, isBlankBefore: boolean): boolean {
  const start = text.lastIndexOf('\n') + 1
  if (start === 0 && !isBlankBefore) return false
  return text.slice(start).trim() === ''
}
