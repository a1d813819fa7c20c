/** Parses files that hold one JSON value, and says what is wrong with a value: where, what was expected, what came. */
import type { z } from 'zod'
import { DataError, redact } from '../core/provider/errors.ts'
import { explainJson } from '../lib/explain-json.ts'

/** Parses the text of a file. @throws DataError with the line, if it is known */
export function parseJsonFile(file: string, text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch (error) {
    const { line, problem } = explainJson(error, text)
    throw new DataError(file, line, problem)
  }
}

/** An issue of a value that was parsed `inWords`, with its place in the value: `` `a.b`: expected text, got 3 ``. */
export function describeIssue(issue: z.core.$ZodIssue, value: unknown): string {
  const got = issue.path.reduce<unknown>(
    (inner, key) => (inner as Record<PropertyKey, unknown>)?.[key],
    value,
  )
  const place = issue.path.length === 0 ? '' : `\`${issue.path.map(String).join('.')}\`: `
  return `${place}${explainIssue(issue, got)}`
}

/**
 * For every `safeParse` whose issues a person reads: what was expected, in plain words. A schema's own message goes first.
 */
export const inWords = { error: expectedBy }

/** An issue of a value that was parsed `inWords`, without its place. */
export function explainIssue(issue: z.core.$ZodIssue, got: unknown): string {
  if (issue.code === 'unrecognized_keys') return `unknown ${issue.keys.map((key) => `\`${key}\``).join(', ')}`
  if (issue.code === 'invalid_type' && issue.expected === 'never') return issue.message
  // The check of an option says itself what it found.
  const found = issue.code === 'custom' && issue.params && 'got' in issue.params ? issue.params.got : got
  return `${issue.message}, got ${show(found)}`
}

const NAMES: Record<string, string> = {
  string: 'text',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
}

function expectedBy(issue: z.core.$ZodRawIssue | z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${NAMES[issue.expected] ?? `a ${issue.expected}`}`
    case 'invalid_value':
      return `expected ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.join(', ')}`
    case 'too_small':
      return `expected ${describeSize(issue.origin, issue.inclusive === false ? 'above' : 'from', issue.minimum)}`
    case 'too_big':
      return `expected ${describeSize(issue.origin, issue.inclusive === false ? 'below' : 'up to', issue.maximum)}`
    case 'invalid_format':
      return `expected a ${issue.format}`
    case 'invalid_union': {
      const kinds = 'options' in issue ? (issue.options as string[]) : undefined
      const parts = issue.errors.flatMap(([first]) =>
        first ? expectedBy(first).replace('expected ', '') : [],
      )
      return `expected ${kinds ? `one of ${kinds.join(', ')}` : [...new Set(parts)].join(', or ')}`
    }
    default:
      return 'expected another value'
  }
}

function describeSize(origin: string, bound: string, size: number | bigint): string {
  if (origin === 'number' || origin === 'int') return `a number ${bound} ${size}`
  if (bound === 'from' && size === 1) return `${NAMES[origin] ?? origin} that is not empty`
  const most = bound === 'from' ? 'at least' : 'at most'
  return `${NAMES[origin] ?? origin} with ${most} ${size} ${origin === 'string' ? 'characters' : 'entries'}`
}

function show(value: unknown): string {
  if (value === undefined) return 'nothing'
  return redact(JSON.stringify(value) ?? String(value)).slice(0, 80)
}
