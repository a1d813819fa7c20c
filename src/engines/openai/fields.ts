/** JSON objects from the wire. */

/** A JSON object from the wire. Nothing in it is taken for granted. */
export type Fields = Record<string, unknown>

/** The value as a record; an empty one if it is none. */
export function asFields(value: unknown): Fields {
  return isFields(value) ? value : NONE
}

/** An object without fields. */
export const NONE: Fields = Object.freeze({})

/** Whether a value is a record. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
