/** Makes text of models and servers safe for the terminal. */

/**
 * C0 without tab and line feed, DEL, C1; marks that turn the direction of text; separators and blanks that terminals do
 * not show; and tags (U+E0000 on), whose text is hidden. Joiners stay: emoji and many languages need them.
 */
const unsafe =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u180e\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e0fff}]/gu

/**
 * Makes control characters visible, so that none reaches the terminal: `␛[31m` instead of red. Each character is replaced
 * alone, so a sequence that is split over two deltas is caught too. Carriage returns are dropped.
 */
export function sanitize(text: string): string {
  return text.replace(unsafe, (character) => {
    const code = character.charCodeAt(0)
    if (character === '\r') return ''
    if (code < 0x20) return String.fromCharCode(0x2400 + code)
    return code === 0x7f ? '␡' : escapeUnits(character)
  })
}

/** Writes JSON with all characters escaped that `sanitize` shows. The value stays the same. */
export function stringifySafely(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(unsafe, escapeUnits)
}

const escapeUnits = (text: string) =>
  text.replace(/./gs, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
