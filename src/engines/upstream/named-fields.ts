/** Which fields of a request a refusal is about. */
import type { UpstreamError } from './error.ts'

const REFUSED_NAME =
  /unsupported|not supported|unrecognized|unknown|unexpected|not permitted|forbidden|use '/i
const NAMES_N = /(^|[^\w'-])['"`]?n(_cmpl)?['"`]?([^\w'-]|$)/
/** What follows are fields and values that would be right. */
const ALTERNATIVES =
  /(expected one of|did you mean|\b(supported|allowed|valid|known|available|accepted|permitted) (request )?(param\w*|fields?|arguments?|options?|keys?|propert\w*|names?)( names?)?( are| include)?[: ]).*/is

/** A refusal in the server's own words, without what it lists as right. */
export function wordsOf({ details: { serverMessage = '' } }: UpstreamError): string {
  return serverMessage.replace(ALTERNATIVES, '')
}

/** Whether the words of a refusal name one of these fields of the request. */
export function namesField(error: UpstreamError, ...fields: string[]): boolean {
  return new RegExp(`\\b(${fields.join('|')})\\b`, 'i').test(wordsOf(error))
}

/** Whether a refusal says that the server does not know this field of the request. */
export function rejectsField(error: UpstreamError, field: string): boolean {
  const { serverMessage = '', named = [] } = error.details
  const isUnknown = REFUSED_NAME.test(serverMessage) || serverMessage.includes(`.${field}: `)
  return isUnknown && (namesField(error, field) || named.includes(field))
}

/**
 * The largest `n` that a refusal of `n` completions allows; half of `n` if it names `n` without a number, and undefined
 * if it is about something else.
 */
export function readMaxN({ details: { serverMessage = '' } }: UpstreamError, n: number): number | undefined {
  if (n === 1 || !NAMES_N.test(serverMessage)) return undefined
  const bounds = (serverMessage.match(/\d+/g) ?? []).map(Number).filter((bound) => bound >= 1 && bound < n)
  return bounds.length > 0 ? Math.max(...bounds) : n >> 1
}
