/** Reads which final answer a text states, so that answers can be compared and counted. */
import { canonicalJson, innerJson } from './json-text.ts'
import { withoutEnd } from './text.ts'

/**
 * The final answer that a text states, in a form that can be compared. A JSON object or list is compared by its value.
 * Otherwise it is what follows the last `####`, the last `\boxed{…}`, the last "answer is …" or "Answer: …", else the last
 * number, else the text itself, normalized. If what is marked holds exactly one number, that number is the answer.
 * @param isJson whether the text was asked for as JSON: then strings and numbers are compared as JSON too
 */
export function extractAnswer(text: string, isJson = false): string {
  const json = readJson(text, isJson)
  if (json !== undefined) return json
  const marked =
    lastMatch(text, /(?<!#)#{4,}(?!#)\s*([^\n]+)/g) ??
    lastBoxed(text) ??
    lastMatch(text, /answer(?:\s+is\b|:)[\s:]*([^\n]+)/gi)
  return normalizeAnswer(marked ?? lastMatch(text, /(-?\$?\d[\d,]*(?:\.\d+)?)/g) ?? text)
}

function readJson(text: string, isJson: boolean): string | undefined {
  if (isJson) return canonicalJson(text)
  const isFenced = /^\s*```/.test(text)
  return isFenced || /^\s*[[{]/.test(text) ? canonicalJson((isFenced && innerJson(text)) || text) : undefined
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

/** A number that is not a part of a word, a label or a longer number. */
const NUMBER = /(?<![\w.,])[-+]?\d[\d,]*(?:\.\d+)?(?!\.?\w)/g
/** What makes more of a number than itself: `x^2`, `\sqrt{2}`, `1/x`. */
const MATH = /\\[a-z]|[\^/√π]/i

function normalizeAnswer(answer: string): string {
  const bare = answer
    .replace(/\{,\}/g, ',')
    .replace(/<\/?\w+>/g, '')
    .replace(/\u2212/g, '-')
  const plain = withoutEnd(bare.replace(/[*_`$\\]/g, '').trim(), '.!').trim()
  const first = plain.match(/^(-?\d[\d,]*(?:\.\d+)?)\s*%?(?:\s|$)/)?.[1]
  const isMath = MATH.test(bare.replaceAll('\\boxed', ''))
  const all = isMath ? [] : (plain.match(NUMBER) ?? [])
  const number = first ?? (all.length === 1 ? all[0] : undefined)
  if (number !== undefined) return String(Number(number.replaceAll(',', '')))
  return plain.toLowerCase().replace(/\s+/g, ' ')
}
