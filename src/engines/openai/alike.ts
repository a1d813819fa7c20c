/**
 * Reads the chunks of a stream that differ from an earlier one in nothing but a text, as most do: only that text is
 * parsed, which takes a quarter of the time.
 */
import { asFields, type Fields } from './fields.ts'

/** Chunks that differ in one text only. */
export interface Alike {
  /** The last of them: the same object for all, with another text in it. */
  readonly chunk: Fields
  /** What in it holds the text, and under which name. */
  readonly holder: Fields
  readonly name: string
}

/** Recognizes such chunks. */
export interface AlikeReader {
  /** What a line is, if it is like an earlier one. */
  read(line: string): Alike | undefined
  /** Remembers a line that `read` did not know, and what it was parsed to. */
  learn(line: string, chunk: unknown): void
}

/** A chunk whose text is missing: `start`, which ends in a quotation mark, then any text, then `end`. */
interface Pattern extends Alike {
  start: string
  end: string
}

/** Lines before the first is remembered: short streams are not worth it. */
const LINES_BEFORE = 4
/** Each completion of a request has its own pattern. */
const MAX_PATTERNS = 16
/** So many lines in a row that are like none: the server writes something new into each. */
const MAX_MISSES = 64

/** A reader for one stream. */
export function readAlike(): AlikeReader {
  const patterns: Pattern[] = []
  /** Completions take turns: the pattern after the last is the likeliest. */
  let next = 0
  let [lines, misses] = [0, 0]
  return {
    read(line) {
      for (let i = 0; i < patterns.length; i++) {
        const pattern = patterns[next] as Pattern
        next = next + 1 < patterns.length ? next + 1 : 0
        const text = textIn(line, pattern)
        if (text === undefined) continue
        misses = 0
        pattern.holder[pattern.name] = text
        return pattern
      }
      return undefined
    },
    learn(line, chunk) {
      if (++lines <= LINES_BEFORE || misses === MAX_MISSES) return
      if (++misses === MAX_MISSES) patterns.length = next = 0
      const pattern = misses < MAX_MISSES ? findPattern(line, chunk) : undefined
      if (!pattern) return
      if (patterns.length < MAX_PATTERNS) patterns.push(pattern)
      else patterns[next] = pattern
    },
  }
}

/** Characters that V8 copies when they are cut out; a longer piece would keep the whole read in memory. */
const COPIED_CHARS = 12
const NEEDS_PARSING = /["\\\u0000-\u001f]/

/** The text in a line, if the line is like the pattern; it is a JSON string or nothing. */
function textIn(line: string, { start, end }: Pattern): string | undefined {
  const to = line.length - end.length
  if (to < start.length || line.slice(0, start.length) !== start || line.slice(to) !== end) return undefined
  const text = line.slice(start.length, to)
  return text.length <= COPIED_CHARS && !NEEDS_PARSING.test(text) ? text : parseText(text)
}

function parseText(text: string): string | undefined {
  try {
    // A quotation mark without a backslash ends the string early: then it is no JSON.
    return JSON.parse(`"${text}"`)
  } catch {
    return undefined
  }
}

const NAMES = ['content', 'reasoning_content', 'reasoning', 'text']
const PROBE = 'probe'

/** The pattern of a chunk with one choice and a text in it. */
function findPattern(line: string, chunk: unknown): Pattern | undefined {
  const name = NAMES.find((name) => holderOf(chunk, name)?.[name])
  const at = name && new RegExp(`"${name}" ?: ?"`).exec(line)
  if (!at) return undefined
  const from = at.index + at[0].length
  const end = /(?:[^"\\]|\\.)*/y
  end.lastIndex = from
  end.exec(line)
  return probe({ start: line.slice(0, from), end: line.slice(end.lastIndex), name })
}

/** A pattern is right if any text in its place is read as that text. What stands around a JSON string does not change. */
function probe({ start, end, name }: Pick<Pattern, 'start' | 'end' | 'name'>): Pattern | undefined {
  try {
    const chunk = JSON.parse(start + PROBE + end)
    const holder = holderOf(chunk, name)
    return holder?.[name] === PROBE ? { start, end, chunk, holder, name } : undefined
  } catch {
    return undefined
  }
}

/** What may have a text of this name: the delta of the only choice, or that choice itself. */
function holderOf(chunk: unknown, name: string): Fields | undefined {
  const { choices } = asFields(chunk)
  if (!Array.isArray(choices) || choices.length !== 1) return undefined
  const [choice] = choices
  return name === 'text' ? asFields(choice) : asFields(asFields(choice).delta)
}
