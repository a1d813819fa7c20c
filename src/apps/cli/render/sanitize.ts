/** Text that a model or a server wrote is not trusted with the terminal. */

// C0 but for tab and line feed, DEL, C1, and what reverses the direction of the text after it.
const unsafe = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g

/**
 * Makes control characters visible, so that none reaches the terminal: `␛[31m` instead of red. One character is
 * looked at by itself, so that a sequence split over two deltas is caught as well. Carriage returns are dropped.
 */
export function sanitize(text: string): string {
  return text.replace(unsafe, (character) => {
    const code = character.charCodeAt(0)
    if (character === '\r') return ''
    if (code < 0x20) return String.fromCharCode(0x2400 + code)
    return code === 0x7f ? '␡' : escapeUnit(code)
  })
}

/** JSON whose strings hold no control characters, C1 and direction marks included; the value is the same. */
export function stringifySafely(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(/[\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, (unit) =>
    escapeUnit(unit.charCodeAt(0)),
  )
}

function escapeUnit(code: number): string {
  return `\\u${code.toString(16).padStart(4, '0')}`
}
