/** Finds regular expressions that take too long: each is tried on texts that such expressions are slow at. */
import { TimeLimitError, within } from '../time-limit.ts'
import { type Pattern, SchemaError } from './limits.ts'

const LIMIT_MS = 100
const TEXT_CHARS = 2_000
const MAX_PUMPS = 24

/** The pattern as a RegExp: with Unicode, as schemas have it, or without, as many of them are written. */
export function toRegExp(source: string): RegExp {
  try {
    return new RegExp(source, 'u')
  } catch {
    return new RegExp(source)
  }
}

/** Tries a pattern. @throws SchemaError for one that is not valid or that a text of a few thousand characters keeps busy */
export function tryPattern({ path, source }: Pattern): void {
  let pattern: RegExp
  try {
    pattern = toRegExp(source)
  } catch (error) {
    throw new SchemaError(path, `expected a regular expression, got ${(error as Error).message}`)
  }
  const texts = listPumps(source).map((pump) => `${pump.repeat(TEXT_CHARS / pump.length)}\0`)
  try {
    within(LIMIT_MS, () => texts.some((text) => pattern.test(text) && false))
  } catch (error) {
    if (!(error instanceof TimeLimitError)) throw error
    throw new SchemaError(path, `the regular expression ${error.message} on ${TEXT_CHARS} characters`)
  }
}

/** What a repeated part of the pattern may match again and again: its characters, its words, and members of classes. */
function listPumps(source: string): string[] {
  const words = source.match(/[\p{L}\p{N}]+/gu) ?? []
  const characters = [...new Set(source.replace(/[()[\]{}*+?|^$\\]/g, ''))]
  return [...new Set(['a', '0', ' ', 'a ', 'A0', '-', '.', '\n', ...words, ...characters])].slice(
    0,
    MAX_PUMPS,
  )
}
