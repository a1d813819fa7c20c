/** What values of options can be: how a kind reads in words, and what is wrong with a value that is not of it. */
import { reasoningEfforts } from '../core/provider/engine.ts'
import { holdsKey, UsageError } from '../core/provider/errors.ts'

/** What the value of an option can be. */
export type OptionKind =
  | { type: 'whole'; from: number; to?: number }
  | { type: 'number'; from: number; to: number }
  | { type: 'choice'; of: readonly string[] }
  /** True or false; as a flag, it takes no value. */
  | { type: 'switch' }
  /** The name of an engine or a role, or a list of such; `hasN` says whether each may have a number of samples. */
  | { type: 'engine' }
  | { type: 'engines'; hasN: boolean }
  /** The name of an environment variable. Its value may be a key, so a wrong name is never shown. */
  | { type: 'variable' }
  | { type: 'file' }
  | { type: 'address' }
  | { type: 'headers' }
  | { type: 'fields' }
  /** When the panel of proposers runs in a loop of tool calls. */
  | { type: 'panel' }
  /** A JSON schema, or the name of a file that holds one. */
  | { type: 'schema' }

/** `turn`: once for each turn of the user. `step`: at every step of a loop of tool calls. `every`: at every so many steps. */
export type Panel = 'turn' | 'step' | { every: number }

/** A whole number, at least `from`. */
export const whole = <From extends number>(from: From) => ({ type: 'whole', from }) as const
/** The longest time of a timer: a longer one would mean one millisecond. */
export const MAX_TIMER_MS = 2 ** 31 - 1
/** A time in milliseconds that a timer can wait, at least `from`. */
export const milliseconds = (from: number) => ({ type: 'whole', from, to: MAX_TIMER_MS }) as const
/** A number, limits included. */
export const number = (from: number, to: number) => ({ type: 'number', from, to }) as const
/** One of some words. */
export const choice = <const Of extends readonly string[]>(of: Of) => ({ type: 'choice', of }) as const
/** True or false. */
export const onOff = { type: 'switch' } as const
/** An engine's name. */
export const engine = { type: 'engine' } as const
/** A list of engines. */
export const engines = { type: 'engines', hasN: false } as const
/** A list of engines, each with its number of samples. */
export const countedEngines = { type: 'engines', hasN: true } as const

/** The settings that a role may have of its own, each an option too. */
export const roleKinds = {
  temperature: number(0, 5),
  topP: number(0, 1),
  topK: whole(1),
  minP: number(0, 1),
  maxTokens: whole(1),
  reasoning: choice(reasoningEfforts),
} as const

/** Settings of a role. What is absent is as for all others. */
export type RoleSettings = { -readonly [Name in keyof typeof roleKinds]?: ValueOf<(typeof roleKinds)[Name]> }

/** An engine with settings of its own, and the engines that are asked if it fails. */
export interface Role extends RoleSettings {
  engine: string
  /** Samples per layer, for a proposer; default 1 if another proposer has `n`. */
  n?: number
  fallbacks?: (string | (RoleSettings & { engine: string }))[]
}

/** When the panel runs. */
export const panel = { type: 'panel' } as const
/** A JSON schema. */
export const schema = { type: 'schema' } as const

/** An environment variable. */
export const variable = { type: 'variable' } as const
/** The path of a file. */
export const file = { type: 'file' } as const
/** An address of HTTP, or several. */
export const address = { type: 'address' } as const
/** Headers of HTTP by their names. */
export const headers = { type: 'headers' } as const
/** Fields of JSON by their names. */
export const fields = { type: 'fields' } as const

interface Values {
  whole: number
  number: number
  switch: boolean
  engine: string | Role
  engines: (string | Role)[]
  variable: string
  file: string
  address: string | string[]
  headers: Record<string, string>
  fields: Record<string, unknown>
  panel: Panel
  schema: string | Record<string, unknown>
}

/** The type of the values of a kind. */
export type ValueOf<Kind extends OptionKind> = Kind extends { of: readonly (infer Choice)[] }
  ? Choice
  : Values[Exclude<Kind['type'], 'choice'>]

/** The kinds without limits: how each reads in words, and whether a value is of it. */
const plain: Record<Exclude<OptionKind['type'], 'whole' | 'number' | 'choice'>, [string, Check]> = {
  switch: ['true or false', (value) => typeof value === 'boolean'],
  engine: ['an engine name', isName],
  engines: [
    'a list of engine names',
    (value) => Array.isArray(value) && value.length > 0 && value.every(isName),
  ],
  variable: [
    'the name of an environment variable, in capitals',
    (value) => matches(value, /^[A-Z][A-Z0-9_]*$/),
  ],
  file: ['the path of a file', isName],
  address: [
    'an http address, or a list of them',
    (value) => (Array.isArray(value) ? value.length > 0 && value.every(isAddress) : isAddress(value)),
  ],
  headers: [
    'headers, a text for each name',
    (value) => isObject(value) && Object.entries(value).every(isHeader),
  ],
  fields: ['an object', isObject],
  panel: [
    '"turn", "step" or {"every": N}',
    (value) => value === 'turn' || value === 'step' || isEvery(value),
  ],
  schema: ['a file or a JSON schema', (value) => isName(value) || isObject(value)],
}
type Check = (value: unknown) => boolean
const isAddress: Check = (value) => matches(value, /^https?:/) && URL.canParse(String(value))

/** Says what an option takes, in words that follow "expected". */
export function describeKind(kind: OptionKind): string {
  switch (kind.type) {
    case 'whole':
      return `a whole number from ${kind.from}${kind.to === undefined ? '' : ` to ${kind.to}`}`
    case 'number':
      return `a number from ${kind.from} to ${kind.to}`
    case 'choice':
      return `one of ${kind.of.join(', ')}`
    default:
      return plain[kind.type][0]
  }
}

/** Whether a value is what an option takes; of engines, whether it is a name or names. */
export function isOfKind(kind: OptionKind, value: unknown): boolean {
  switch (kind.type) {
    case 'whole':
      return Number.isSafeInteger(value) && isBetween(value as number, kind)
    case 'number':
      return typeof value === 'number' && value >= kind.from && value <= kind.to
    case 'choice':
      return kind.of.includes(value as string)
    default:
      return plain[kind.type][1](value)
  }
}

function isBetween(value: number, { from, to = Number.POSITIVE_INFINITY }: { from: number; to?: number }) {
  return value >= from && value <= to
}

function isEvery(value: unknown): boolean {
  if (!isObject(value) || Object.keys(value).join() !== 'every') return false
  return Number.isSafeInteger(value.every) && (value.every as number) >= 1
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether a value can name an engine. */
export function isName(value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}

function matches(value: unknown, pattern: RegExp): value is string {
  return typeof value === 'string' && pattern.test(value)
}

function isHeader([name, text]: [string, unknown]): boolean {
  return matches(name, /^[\w!#$%&'*+.^`|~-]+$/) && typeof text === 'string'
}

/** Refuses a key or a password in the name of an engine: results and journals hold the name. @throws UsageError */
export function refuseKey(engine: string): void {
  if (!holdsKey(engine)) return
  throw new UsageError(
    `${engine}: the name of an engine may hold no key or password, because journals keep it. Put it into an ` +
      'environment variable that --api-key-env names, or a config in apiKeyEnv or headers',
  )
}
