/** Says in words what is wrong with a text that is not JSON. */

/** What is wrong, in one line, and in which line of the text if that is known. */
export interface JsonFault {
  line?: number
  problem: string
}

/**
 * Explains an error of `JSON.parse`.
 * @example
 * explainJson(error, '{"a": 1,}') // { line: 1, problem: 'expected JSON: Expected double-quoted property name' }
 */
export function explainJson(error: unknown, text: string): JsonFault {
  return { line: lineOf((error as Error).message, text), problem: `expected JSON: ${jsonReason(error)}` }
}

/** The reason alone. V8 repeats the text and the position after it, over several lines. */
export function jsonReason(error: unknown): string {
  const [reason = ''] = (error as Error).message.split(/, (?:"|\.\.\.)|(?: in JSON)? at position | \(line /)
  return reason
}

function lineOf(message: string, text: string): number | undefined {
  const known = /\(line (\d+)/.exec(message)?.[1]
  if (known !== undefined) return Number(known)
  const lines = text.trimEnd().split('\n').length
  return lines === 1 || /end of JSON/.test(message) ? lines : undefined
}
