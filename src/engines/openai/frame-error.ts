/** Errors of bodies that cannot be split into objects, and how long they may be. */

/** Why a body cannot be read. */
export class FrameError extends Error {
  override name = 'FrameError'
  readonly reason: 'page' | 'broken' | 'too-long'

  constructor(reason: FrameError['reason'], message: string) {
    super(message)
    this.reason = reason
  }
}

/** Characters that one line of a stream may have. A whole answer in one line, with log probabilities, fits. */
export const MAX_LINE_CHARS = 16 * 2 ** 20
/** Characters that one JSON document may have: n completions with log probabilities. */
export const MAX_DOCUMENT_CHARS = 64 * 2 ** 20

/** A line or a document above its limit. */
export function tooLong(what: string, limit: number, text: string): FrameError {
  const size = `${Math.round(limit / 2 ** 20)} MiB`
  return new FrameError('too-long', `expected ${what} of at most ${size}, got more: ${quote(text)}`)
}

/** A body that is HTML or XML. */
export function markup(text: string): FrameError {
  if (/^\s*<(\?xml|error)/i.test(text)) return broken(text)
  return new FrameError(
    'page',
    `got a web page: is the address right, and does it end in /v1? It begins with ${quote(text)}`,
  )
}

/** What is neither events nor JSON. */
export function broken(text: string): FrameError {
  return new FrameError('broken', `expected a JSON object from the server, got ${quote(text)}`)
}

const QUOTED_CHARS = 120

function quote(text: string): string {
  const start = text.slice(0, 10 * QUOTED_CHARS).trim()
  return JSON.stringify(start.length > QUOTED_CHARS ? `${start.slice(0, QUOTED_CHARS)}…` : start)
}
