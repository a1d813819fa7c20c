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

/** A part of a whole: the first of four is `{ part: 1, of: 4 }`. */
export interface Part {
  part: number
  of: number
}

/** Parses `1/4`: part 1 of 4. */
export function readPart(text: string): Part {
  const [, part, of] = (/^(\d{1,6})\/(\d{1,6})$/.exec(text) ?? []).map(Number)
  if (part && of && part <= of) return { part, of }
  throw new InvalidArgumentError('expected a part such as 1/4: the first of four')
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

/** Makes a flag with a number of bytes, such as 500MB, and at least 1 MB. */
export function bytes(flag: string, help: string): RangedOption {
  return Object.assign(new Option(flag, help).argParser(readBytes), { takes: 'such as 500MB or 2GiB' })
}

const UNITS: Record<string, number> = { '': 1, K: 1e3, M: 1e6, G: 1e9, KI: 2 ** 10, MI: 2 ** 20, GI: 2 ** 30 }

/** Parses a number of bytes with or without a unit. */
function readBytes(text: string): number {
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)\s*([kmg]i?)?b?$/i.exec(text.trim()) ?? []
  const size = Math.floor(Number(digits) * (UNITS[unit.toUpperCase()] ?? Number.NaN))
  if (size >= 1e6) return size
  throw new InvalidArgumentError('expected a number of bytes from 1MB, such as 500MB or 2GiB')
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

/** Makes the flag `--shard`. */
export function shardOption(): Option {
  return new Option(
    '--shard <i/n>',
    'work on this part of the rows only, such as 1/4: the first quarter; each part has its own -o',
  ).argParser(readPart)
}

/** The first row of a part of `count` rows, and the first one after it. */
export function rangeOf(count: number, { part, of }: Part): [from: number, to: number] {
  const at = (k: number) => Math.floor((count * k) / of)
  return [at(part - 1), at(part)]
}

/** Counts the rows, and returns a function that reads one part of them. All parts together are the rows, in their order. */
export async function takePart<Row>(
  read: () => AsyncIterable<Row> | Iterable<Row>,
  { part, of }: Part,
): Promise<() => AsyncGenerator<Row>> {
  let count = 0
  for await (const _ of read()) count++
  const [from, to] = rangeOf(count, { part, of })
  return async function* () {
    let i = 0
    for await (const row of read()) {
      if (i >= from && i < to) yield row
      if (++i >= to) return
    }
  }
}
