/** Cleans responses before they are shown: removes reasoning, and drops empty, runaway and repeated ones. */
import { findUnusable } from '../core/proposals.ts'
import { splitReasoning } from '../engines/reasoning.ts'
import type { Reasons } from '../files/build-counts.ts'
import type { Response } from '../files/rows/row.ts'

/** Returns the text after the reasoning, without white space around it. */
export function cleanText(text: string): string {
  return (text.includes('<') ? splitReasoning(text).text : text).trim()
}

/**
 * Returns the responses that can be shown, and counts the others by reason. `taken` is the target, which must not be shown.
 * With `keepsEqual` it may be, and a response may occur more than once.
 */
export function cleanResponses(
  responses: Response[],
  { taken, keepsEqual = false }: { taken?: string; keepsEqual?: boolean } = {},
): { responses: Response[]; left: Reasons } {
  const left: Reasons = {}
  const seen: string[] = []
  const kept: Response[] = []
  for (const response of responses) {
    const text = cleanText(response.text)
    const reason = findUnusable(text) ?? (keepsEqual ? undefined : findTwin(text, seen, taken))
    if (reason) left[reason] = (left[reason] ?? 0) + 1
    else {
      kept.push({ ...response, text })
      seen.push(text)
    }
  }
  return { responses: kept, left }
}

function findTwin(text: string, seen: string[], taken?: string): string | undefined {
  if (taken !== undefined && isSame(text, taken)) return 'is the target'
  return seen.some((other) => isSame(text, other)) ? 'repeated' : undefined
}

const collapse = (text: string) => text.replace(/\s+/g, ' ').trim()

/** Compares texts, ignoring white space. It starts with the first characters, since most texts differ there. */
function isSame(a: string, b: string): boolean {
  const [x, y] = [collapse(a.slice(0, 64)), collapse(b.slice(0, 64))]
  const length = Math.min(x.length, y.length)
  return x.slice(0, length) === y.slice(0, length) && collapse(a) === collapse(b)
}
