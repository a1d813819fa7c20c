/** Reads a completion's text: whether it can be used, and which final answer it states. */
import { repeatedShare } from '../lib/text.ts'

const MAX_REPEATED_SHARE = 0.3

/** Why a text cannot be used: `empty`, or `runaway` (it repeats itself). Undefined if it can. */
export function findUnusable(text: string): 'empty' | 'runaway' | undefined {
  if (text.trim() === '') return 'empty'
  return repeatedShare(text, MAX_REPEATED_SHARE) > MAX_REPEATED_SHARE ? 'runaway' : undefined
}

/**
 * The final answer that a text states, in a form that can be compared: what follows the last `####`, the last
 * `\boxed{…}`, the last "answer is …" or "Answer: …", else the last number, else the text itself, normalized.
 */
export function extractAnswer(text: string): string {
  const marked =
    lastMatch(text, /####\s*([^\n]+)/g) ??
    lastBoxed(text) ??
    lastMatch(text, /answer(?:\s+is|:)\s*([^\n]+)/gi)
  return normalizeAnswer(marked ?? lastMatch(text, /(-?\$?\d[\d,]*(?:\.\d+)?)/g) ?? text)
}

function lastMatch(text: string, pattern: RegExp): string | undefined {
  return [...text.matchAll(pattern)].at(-1)?.[1]
}

function lastBoxed(text: string): string | undefined {
  const opening = '\\boxed{'
  const at = text.lastIndexOf(opening)
  if (at === -1) return undefined
  const start = at + opening.length
  let braces = 1
  for (let i = start; i < text.length; i++) {
    if (text[i] === '{') braces++
    if (text[i] === '}' && --braces === 0) return text.slice(start, i)
  }
  return undefined
}

function normalizeAnswer(answer: string): string {
  const plain = answer
    .replace(/[*_`$\\]/g, '')
    .trim()
    .replace(/[.!]+$/, '')
    .trim()
  const number = plain.match(/^(-?\d[\d,]*(?:\.\d+)?)\s*%?(?:\s|$)/)?.[1]
  if (number !== undefined) return String(Number(number.replaceAll(',', '')))
  return plain.toLowerCase().replace(/\s+/g, ' ')
}
