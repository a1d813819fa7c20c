/** Responses as they may be shown: without reasoning, without empty, runaway or repeated ones. */
import { findUnusable } from '../core/proposals.ts'
import { splitReasoning } from '../core/reasoning.ts'
import type { Response } from './row.ts'

/** Why responses were left out, with how often. */
export type Reasons = Record<string, number>

/** The text behind the reasoning, without white space around it. */
export function cleanText(text: string): string {
  return (text.includes('<') ? splitReasoning(text).text : text).trim()
}

/** What can be shown of a row's responses. `taken` is a text that must not be among them: the target. */
export function cleanResponses(
  responses: Response[],
  taken?: string,
): { responses: Response[]; left: Reasons } {
  const left: Reasons = {}
  const seen = new Set(taken === undefined ? [] : [keyOf(taken)])
  const target = taken === undefined ? undefined : keyOf(taken)
  const kept: Response[] = []
  for (const response of responses) {
    const text = cleanText(response.text)
    const key = keyOf(text)
    const reason =
      findUnusable(text) ?? (seen.has(key) ? (key === target ? 'is the target' : 'repeated') : undefined)
    if (reason) left[reason] = (left[reason] ?? 0) + 1
    else kept.push({ ...response, text })
    seen.add(key)
  }
  return { responses: kept, left }
}

/** Texts that differ in white space only are the same. */
function keyOf(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}
