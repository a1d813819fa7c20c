/** Responses as they may be shown: without reasoning, without empty, runaway or repeated ones. */
import { findUnusable } from '../core/proposals.ts'
import { splitReasoning } from '../engines/reasoning.ts'
import type { Reasons } from '../files/build-counts.ts'
import type { Response } from '../files/rows/row.ts'

/** The text after the reasoning, without white space around it. */
export function cleanText(text: string): string {
  return (text.includes('<') ? splitReasoning(text).text : text).trim()
}

/** What can be shown of a row's responses. `taken` is a text that must not be among them: the target. */
export function cleanResponses(
  responses: Response[],
  taken?: string,
): { responses: Response[]; left: Reasons } {
  const left: Reasons = {}
  const seen: string[] = []
  const kept: Response[] = []
  for (const response of responses) {
    const text = cleanText(response.text)
    const reason = findUnusable(text) ?? findTwin(text, seen, taken)
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

/** Texts that differ only in white space are the same. Most differ in their first characters, which are compared first. */
function isSame(a: string, b: string): boolean {
  const [x, y] = [collapse(a.slice(0, 64)), collapse(b.slice(0, 64))]
  const length = Math.min(x.length, y.length)
  return x.slice(0, length) === y.slice(0, length) && collapse(a) === collapse(b)
}
