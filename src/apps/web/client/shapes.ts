/** Reads values of unknown origin: what does not have the expected shape is dropped, and so are unknown fields. */

/** Returns the value, or a clean copy of it; undefined if it has another shape. */
export type Read<T> = (value: unknown) => T | undefined

/** Reads a text. */
export const text: Read<string> = (value) => (typeof value === 'string' ? value : undefined)
/** Reads a finite number. */
export const number: Read<number> = (value) => (Number.isFinite(value) ? (value as number) : undefined)
/** Reads true or false. */
export const flag: Read<boolean> = (value) => (typeof value === 'boolean' ? value : undefined)

/** Makes a reader of a whole number from 0. */
export const whole =
  (most: number): Read<number> =>
  (value) =>
    Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most
      ? (value as number)
      : undefined

/** Makes a reader of one of some texts. */
export const oneOf =
  <const T extends string>(...known: T[]): Read<T> =>
  (value) =>
    known.find((one) => one === value)

/** Makes a reader of a list. Items of another shape are dropped, and all after the first `most`. */
export const listOf =
  <T>(read: Read<T>, most: number): Read<T[]> =>
  (value) =>
    Array.isArray(value) ? value.slice(0, most).flatMap((item) => read(item) ?? []) : undefined

/** The readers of a record's fields. */
export type Fields<T> = { [K in keyof T]-?: Read<Exclude<T[K], undefined>> }

/** Makes a reader of a record. Without one of the `needed` fields it is no record of this shape. */
export const record =
  <T extends object>(fields: Fields<T>, ...needed: (keyof T)[]): Read<T> =>
  (value) => {
    if (typeof value !== 'object' || value === null) return undefined
    const clean: Partial<T> = {}
    for (const name of Object.keys(fields) as (keyof T)[]) {
      const field = fields[name](Object.hasOwn(value, name) ? (value as T)[name] : undefined)
      if (field !== undefined) clean[name] = field as T[keyof T]
      else if (needed.includes(name)) return undefined
    }
    return clean as T
  }
