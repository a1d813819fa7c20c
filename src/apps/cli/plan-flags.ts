/** Turns tables of options into flags, with their help. */
import { InvalidArgumentError, Option } from 'commander'
import { describeKind, isOfKind, type OptionKind, type Panel } from '../../plans/option-kinds.ts'
import { type OptionName, type OptionSpec, type OptionTable, planOptions } from '../../plans/options.ts'
import { readNames, withRange } from './option-types.ts'

/** Makes the flag of one option. `over` changes its default, its help or its limits for a command. */
export function planFlag(name: OptionName, over: Partial<OptionSpec> = {}): Option {
  const flag = toFlag(name, { ...planOptions[name], defaultText: undefined, strategies: undefined, ...over })
  return flag.default(over.default, over.defaultText)
}

/** Makes the flags of a table, in its order. They have no default values, because a config may set the defaults. */
export function optionFlags(table: OptionTable = planOptions): Option[] {
  return Object.entries(table).map(([name, spec]) => {
    const option = toFlag(name, spec)
    option.defaultValueDescription = describeDefault(spec)
    return option
  })
}

/** Returns the flag of an option: `maxTokens` is `--max-tokens`. */
export function flagName(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

function toFlag(name: string, spec: OptionSpec): Option {
  const { kind, help, strategies } = spec
  const readers = strategies && strategies.length === 1 ? `, for ${strategies[0]}` : ''
  const value = kind.type === 'switch' ? '' : ` <${valueName(name, kind)}>`
  const option = new Option(`${flagName(name)}${value}`, `${help}${readers}`)
  // The name of an option may begin with `no`: commander would take it for the opposite of another.
  option.negate = false
  if (kind.type === 'choice') option.choices(kind.of)
  else if (kind.type !== 'switch') option.argParser((text: string) => readValue(text, kind))
  if ('from' in kind) withRange(option, kind)
  return option.helpGroup(`${spec.group}:`)
}

function readValue(text: string, kind: OptionKind): string | string[] | number | Panel {
  if (kind.type === 'panel') return readPanel(text, kind)
  if (kind.type === 'engines') return readNames(text)
  if (kind.type !== 'whole' && kind.type !== 'number') return text
  const isNumber = kind.type === 'whole' ? /^\d+$/.test(text) : text.trim() !== ''
  const value = isNumber ? Number(text) : Number.NaN
  if (isOfKind(kind, value)) return value
  throw new InvalidArgumentError(`expected ${describeKind(kind)}`)
}

function readPanel(text: string, kind: OptionKind): Panel {
  const [, count] = /^every:(\d+)$/.exec(text) ?? []
  const value = count === undefined ? text : { every: Number(count) }
  if (isOfKind(kind, value)) return value as Panel
  throw new InvalidArgumentError('expected turn, step or every:N, such as every:3')
}

function valueName(name: string, { type }: OptionKind): string {
  if (type === 'engines') return 'names'
  if (type === 'file' || type === 'schema') return 'file'
  if (type === 'panel') return 'when'
  if (type === 'engine' || type === 'choice' || type === 'variable') return 'name'
  return name.endsWith('Ms') ? 'ms' : 'n'
}

function describeDefault({
  default: value,
  defaultText = value,
}: {
  default?: unknown
  defaultText?: unknown
}) {
  return defaultText === undefined ? undefined : String(defaultText)
}
