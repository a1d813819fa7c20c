/**
 * Keeps reasoning out of text. Servers without a reasoning parser leave it in the content, between `<think>` and
 * `</think>` (or `<thinking>`), and some chat templates write the opening tag themselves, so that only the closing
 * one comes. The rules:
 * - An opening tag at the start of the text or of a line opens a block; one that is never closed runs to the end.
 * - A closing tag before which nothing was opened makes all text before it reasoning.
 * - A tag between backticks and a pair within a line are text: they are talked about, not used.
 * - Any other closing tag is dropped. So is white space before a first block and after every tag.
 */

/** `restart`: all text so far was reasoning. It does not come again: what was taken as text is to be moved. */
export type ReasoningPart = 'text' | 'reasoning' | 'restart'

export interface ReasoningSplitter {
  /** Hands on what a delta makes certain; what may yet become a tag is kept back. */
  push(delta: string): void
  /** Hands on what was kept back. Nothing may be pushed after it. */
  end(): void
}

/** Text and reasoning of a whole text: the same that its deltas give, however it is cut. */
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

const TAG = /<(\/?)think(?:ing)?>/i
const START_OF_TAG = /<(?:\/?(?:t(?:h(?:i(?:n(?:k(?:i(?:n(?:g)?)?)?)?)?)?)?)?)$/i

/** Splits a text that comes in deltas. `take` gets the parts in order; a `restart` has no text. */
export function createReasoningSplitter(
  take: (part: ReasoningPart, text: string) => void,
): ReasoningSplitter {
  let part: 'text' | 'reasoning' = 'text'
  let buffer = ''
  let lastChar = ''
  let isBlankLine = true
  let hasText = false
  let isAfterTag = false
  let hadBlock = false
  let openPairs = 0

  const hand = (text: string) => {
    if (text === '') return
    take(part, text)
    lastChar = text.slice(-1)
    if (part === 'reasoning') return
    hasText = true
    isBlankLine = isBlankLineAfter(text, isBlankLine)
  }
  const turnTo = (next: 'text' | 'reasoning') => {
    part = next
    hadBlock = isAfterTag = isBlankLine = true
    lastChar = '>'
  }
  const meetTag = (before: string, tag: string, isClosing: boolean) => {
    const isBlank = isBlankLineAfter(before, isBlankLine)
    if (part === 'reasoning') {
      hand(isClosing ? before : before + tag)
      if (isClosing) turnTo('text')
    } else if (!isClosing && isBlank) {
      if (hasText || before.trim() !== '') hand(before)
      turnTo('reasoning')
    } else if (!isClosing || openPairs > 0) {
      openPairs += isClosing ? -1 : 1
      hand(before + tag)
    } else if (hadBlock) {
      hand(before)
    } else {
      if (hasText) take('restart', '')
      part = 'reasoning'
      hand(before)
      turnTo('text')
      hasText = false
    }
  }
  const advance = (isEnd: boolean) => {
    for (;;) {
      if (isAfterTag) buffer = buffer.trimStart()
      if (buffer === '') return
      isAfterTag = false
      const match = TAG.exec(buffer)
      if (!match) break
      const [tag, slash] = match
      const before = buffer.slice(0, match.index)
      const after = buffer.slice(match.index + tag.length)
      const isQuoted = (before.slice(-1) || lastChar) === '`'
      if (isQuoted && after === '' && !isEnd) return
      buffer = after
      if (isQuoted && after.startsWith('`')) hand(before + tag)
      else meetTag(before, tag, slash === '/')
    }
    const sure = isEnd ? buffer.length : (START_OF_TAG.exec(buffer)?.index ?? buffer.length)
    // Leading white space belongs to the text only if no block follows it.
    if (!isEnd && part === 'text' && !hasText && buffer.slice(0, sure).trim() === '') return
    hand(buffer.slice(0, sure))
    buffer = buffer.slice(sure)
  }

  return {
    push(delta) {
      buffer += delta
      advance(false)
    },
    end: () => advance(true),
  }
}

/** Whether the line that a text ends in holds nothing but white space. */
function isBlankLineAfter(text: string, isBlankBefore: boolean): boolean {
  const line = text.slice(text.lastIndexOf('\n') + 1)
  return (isBlankBefore || line.length < text.length) && line.trim() === ''
}
