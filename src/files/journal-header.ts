/** Compares the settings of a journal with the present ones: only if they are equal, it can be resumed. */
import { UsageError } from '../core/provider/errors.ts'

const MAX_SHOWN = 6

/**
 * Compares a journal's header with the header of a new journal. The caller leaves out what may differ.
 * @throws UsageError with each place that differs
 */
export function checkSettings(file: string, journal: object, now: object): void {
  const differences = compare(journal, now)
  if (differences.length === 0) return
  const shown = differences.slice(0, MAX_SHOWN).map((difference) => `  ${difference}`)
  if (differences.length > MAX_SHOWN) shown.push(`  and ${differences.length - MAX_SHOWN} more`)
  throw new UsageError(
    `${file} was begun with other settings:\n${shown.join('\n')}\n` +
      'Run with its settings to resume it, give another -o, or start over with --restart',
  )
}

/** Each place at which two JSON values differ, in words. */
function compare(journal: unknown, now: unknown, path = ''): string[] {
  if (isRecord(journal) && isRecord(now)) {
    const keys = new Set([...Object.keys(journal), ...Object.keys(now)])
    return [...keys].flatMap((key) =>
      compare(journal[key], now[key], joinPath(path, key, Array.isArray(now))),
    )
  }
  if (Object.is(journal, now)) return []
  const show = (value: unknown) => (value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 80))
  return [`${path}: the journal has ${show(journal)}, now it is ${show(now)}`]
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function joinPath(path: string, key: string, isIndex: boolean): string {
  if (isIndex) return `${path}[${key}]`
  return path === '' ? key : `${path}.${key}`
}
