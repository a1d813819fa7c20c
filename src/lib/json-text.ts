/** JSON in the text of a model: the value within a fence or within words, and one form for values that are equal. */

import { withoutEnd } from './text.ts'

/**
 * The same text for equal JSON values: white space, the order of keys and the form of numbers do not matter. Numbers keep
 * all their digits. Undefined if the text is not JSON.
 * @example
 * canonicalJson('{"b": 1.0, "a": "x"}') === canonicalJson('{"a":"x","b":1}') // true
 */
export function canonicalJson(text: string): string | undefined {
  try {
    return write(JSON.parse(text, keepNumbers))
  } catch {
    return undefined // not JSON, or nested too deeply
  }
}

/** A number by its digits: a text of 20 digits would be rounded. */
class Digits {
  readonly text: string

  constructor(source: string) {
    const [, sign, whole = '', fraction = '', exponent = '0'] =
      /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(source) ?? []
    const digits = (whole + fraction).replace(/^0+/, '')
    const kept = withoutEnd(digits, '0')
    const power = BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - kept.length)
    this.text = kept === '' ? '0' : `${sign}${kept}e${power}`
  }
}

function keepNumbers(_: string, value: unknown, context?: { source?: string }): unknown {
  return typeof value === 'number' ? new Digits(context?.source ?? String(value)) : value
}

function write(value: unknown): string {
  if (value instanceof Digits) return value.text
  if (Array.isArray(value)) return `[${value.map(write).join()}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${write(field)}`).join()}}`
}

/**
 * The part of a text that may be the JSON in it: what a single code fence holds, else what stands from the first bracket to
 * the last. Undefined if there is nothing around it that could be left out.
 */
export function innerJson(text: string): string | undefined {
  const whole = text.trim()
  const fences = whole.split('```')
  if (fences.length === 3) return (fences[1] as string).replace(/^[a-z\d]*[ \t]*\r?\n/i, '').trim()
  const start = whole.search(/[[{]/)
  const end = Math.max(whole.lastIndexOf(']'), whole.lastIndexOf('}'))
  if (start === -1 || end <= start || (start === 0 && end === whole.length - 1)) return undefined
  return whole.slice(start, end + 1)
}
