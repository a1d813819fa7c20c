/** Makes text of models and servers safe for the terminal. */

// C0 without tab and line feed, DEL, C1, and characters that reverse the direction of text.
const unsafe = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g

/**
 * Makes control characters visible, so that none reaches the terminal: `␛[31m` instead of red. Each character is replaced
 * alone, so a sequence that is split over two deltas is caught too. Carriage returns are dropped.
 */
export function sanitize(text: string): string {
  return text.replace(unsafe, (character) => {
    const code = character.charCodeAt(0)
    if (character === '\r') return ''
    if (code < 0x20) return String.fromCharCode(0x2400 + code)
    return code === 0x7f ? '␡' : escapeUnit(code)
  })
}

/** Writes JSON with all control characters escaped, C1 and direction marks too. The value stays the same. */
export function stringifySafely(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(/[\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, (unit) =>
    escapeUnit(unit.charCodeAt(0)),
  )
}

function escapeUnit(code: number): string {
  return `\\u${code.toString(16).padStart(4, '0')}`
}
