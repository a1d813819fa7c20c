/** Makes text of models and servers safe for the terminal. */

/**
 * C0 without tab and line feed, DEL, C1; marks that turn the direction of text; letters, separators and blanks that terminals
 * do not show, the soft hyphen among them; and tags (U+E0000 on), whose text is hidden.
 */
const always = String.raw`\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}`

/** Many languages and emoji need joiners and selectors. They hide something if they do not follow what can take them. */
const joiners = String.raw`\u034f\u180b-\u180d\u180f\u200b-\u200d\ufe00-\ufe0f`
const takes = String.raw`[^\u0000-\u007f\s${always}${joiners}]|[0-9#*]`
/** The space of no width parts words in scripts that have no other. */
const spaceless = ['Khmr', 'Thai', 'Laoo', 'Mymr', 'Tibt', 'Java', 'Bali', 'Hani', 'Hira', 'Kana']
const script = `[${spaceless.map((name) => String.raw`\p{scx=${name}}`).join('')}]`

const unsafe = new RegExp(
  String.raw`[${always}]|(?<!${script})\u200b|(?<!${takes}|\ufe0f)[\u200c\u200d]|(?<!${takes})[\u034f\u180b-\u180d\u180f\ufe00-\ufe0f]`,
  'gu',
)

/**
 * Makes control and hidden characters visible, so that none reaches the terminal: `␛[31m` instead of red. Each is replaced
 * alone, so a sequence that is split over two deltas is caught too. Carriage returns are dropped.
 * @param before what the text follows, or its last two units: it decides what a joiner at the start joins
 */
export function sanitize(text: string, before = ''): string {
  const start = before.slice(-2)
  const shown = (start + text).replace(unsafe, (character, at: number) => {
    const code = character.charCodeAt(0)
    if (at < start.length) return character
    if (character === '\r') return ''
    if (code < 0x20) return String.fromCharCode(0x2400 + code)
    return code === 0x7f ? '␡' : escapeUnits(character)
  })
  return shown.slice(start.length)
}

/** Writes JSON with all characters escaped that `sanitize` shows. The value stays the same. */
export function stringifySafely(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(unsafe, escapeUnits)
}

const escapeUnits = (text: string) =>
  text.replace(/./gs, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
