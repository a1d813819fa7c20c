/** Types of flag values. Every command uses them, so that a wrong value gives the same error everywhere. */
import { InvalidArgumentError, Option } from 'commander'

/** The limits of a number. Without `to` there is no upper limit. */
export interface Range {
  from: number
  to?: number
}

/** A flag whose help shows the limits of its number. */
export interface RangedOption extends Option {
  takes?: string
}

/** Makes a flag with a whole number, at least `from`. */
export function whole(flag: string, help: string, from: number, to?: number): RangedOption {
  return withRange(new Option(flag, help).argParser(readWhole({ from, to })), { from, to })
}

/** Makes a flag with a number; fractions are allowed. */
export function within(flag: string, help: string, from: number, to?: number): RangedOption {
  return withRange(new Option(flag, help).argParser(readNumber({ from, to })), { from, to })
}

/** Makes a flag with a share, 0 to 1. */
export function share(flag: string, help: string): Option {
  return within(flag, help, 0, 1)
}

/** Has the help of a flag show the limits of its number. */
export function withRange(option: Option, { from, to }: Range): RangedOption {
  return Object.assign(option, { takes: to === undefined ? `from ${from}` : `${from} to ${to}` })
}

/** Makes a flag with names separated by commas. */
export function names(flag: string, help: string): Option {
  return new Option(flag, help).argParser(readNames)
}

/** Makes a parser of whole numbers. */
export function readWhole(range: Range): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
    if (Number.isSafeInteger(value) && isWithin(value, range)) return value
    throw new InvalidArgumentError(`expected a whole number ${describeRange(range)}`)
  }
}

/** Makes a parser of numbers. */
export function readNumber(range: Range): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text)
    if (Number.isFinite(value) && isWithin(value, range)) return value
    throw new InvalidArgumentError(`expected a number ${describeRange(range)}`)
  }
}

/** Makes a flag with a number above 0. */
export function amount(flag: string, help: string): RangedOption {
  return Object.assign(new Option(flag, help).argParser(readAmount), { takes: 'above 0' })
}

/** Parses a number above 0. */
function readAmount(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (value > 0) return value
  throw new InvalidArgumentError('expected a number above 0')
}

/** Parses names separated by commas. */
export function readNames(text: string): string[] {
  const names = text.split(',').map((name) => name.trim())
  if (names.every(Boolean)) return names
  throw new InvalidArgumentError('expected names separated by commas')
}

function isWithin(value: number, { from, to = Number.POSITIVE_INFINITY }: Range): boolean {
  return value >= from && value <= to
}

function describeRange({ from, to }: Range): string {
  return to === undefined ? `from ${from}` : `from ${from} to ${to}`
}
