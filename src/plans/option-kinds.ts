/** What values of options can be: how a kind reads in words, and whether a value is of it. */
import { holdsKey, UsageError } from '../core/provider/errors.ts'

/** What the value of an option can be. */
export type OptionKind =
  | { type: 'whole'; from: number }
  | { type: 'number'; from: number; to: number }
  | { type: 'choice'; of: readonly string[] }
  /** True or false; as a flag, it takes no value. */
  | { type: 'switch' }
  /** The name of an engine, or a list of such names. */
  | { type: 'engine' }
  | { type: 'engines' }

/** A whole number, at least `from`. */
export const whole = <From extends number>(from: From) => ({ type: 'whole', from }) as const
/** A number, limits included. */
export const number = (from: number, to: number) => ({ type: 'number', from, to }) as const
/** One of some words. */
export const choice = <const Of extends readonly string[]>(of: Of) => ({ type: 'choice', of }) as const
/** An engine's name. */
export const engine = { type: 'engine' } as const
/** A list of engines' names. */
export const engines = { type: 'engines' } as const

/** The type of the values of a kind. */
export type ValueOf<Kind> = Kind extends { type: 'choice'; of: readonly (infer Choice)[] }
  ? Choice
  : Kind extends { type: 'engines' }
    ? string[]
    : Kind extends { type: 'engine' }
      ? string
      : Kind extends { type: 'switch' }
        ? boolean
        : number

/** Says what an option takes, in words that follow "expected". */
export function describeKind(kind: OptionKind): string {
  switch (kind.type) {
    case 'whole':
      return `a whole number from ${kind.from}`
    case 'number':
      return `a number from ${kind.from} to ${kind.to}`
    case 'choice':
      return `one of ${kind.of.join(', ')}`
    case 'switch':
      return 'true or false'
    case 'engine':
      return 'an engine name'
    case 'engines':
      return 'a list of engine names'
  }
}

/** Whether a value is what an option takes. */
export function isOfKind(kind: OptionKind, value: unknown): boolean {
  switch (kind.type) {
    case 'whole':
      return Number.isSafeInteger(value) && (value as number) >= kind.from
    case 'number':
      return typeof value === 'number' && value >= kind.from && value <= kind.to
    case 'choice':
      return kind.of.includes(value as string)
    case 'switch':
      return typeof value === 'boolean'
    case 'engine':
      return isName(value)
    case 'engines':
      return Array.isArray(value) && value.length > 0 && value.every(isName)
  }
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}

/** Refuses a key or a password in the name of an engine: results and journals hold the name. @throws UsageError */
export function refuseKey(engine: string): void {
  if (!holdsKey(engine)) return
  throw new UsageError(
    `${engine}: the name of an engine may hold no key or password, because journals keep it. Put it into an ` +
      'environment variable that --api-key-env names, or a config in apiKeyEnv or headers',
  )
}
