/** Turns Markdown into elements. A model's text may be hostile: its markup is sanitized, and it loads nothing. */
import createPurifier from 'dompurify'
import { Marked } from 'marked'

const escapeText = (text: string) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`)

/** Shows HTML as text and an image as its description, because loading an image would reveal the reader. */
const marked = new Marked({
  gfm: true,
  renderer: {
    html: ({ text }) => (/^<br\s*\/?>$/i.test(text.trim()) ? '<br>' : escapeText(text)),
    image: ({ text }) => escapeText(text),
  },
})
const purifier = createPurifier(window)
purifier.addHook('afterSanitizeAttributes', (element) => {
  if (element.tagName === 'A') {
    element.setAttribute('target', '_blank')
    element.setAttribute('rel', 'noopener noreferrer nofollow')
  }
  if (element.tagName === 'TABLE') element.setAttribute('tabindex', '0')
})

/** Longest text to format. Longer texts are shown unformatted, because formatting them would block the page. */
export const MOST_CHARS = 120_000

/** A second protection: allows only elements that the parser should make. */
const options = {
  ALLOWED_TAGS: [
    'p',
    'br',
    'hr',
    'h1',
    'h2',
    'h3',
    'h4',
    'h5',
    'h6',
    'ul',
    'ol',
    'li',
    'blockquote',
    'pre',
    'code',
    'em',
    'strong',
    'del',
    'a',
    'table',
    'thead',
    'tbody',
    'tr',
    'th',
    'td',
    'sub',
    'sup',
    'kbd',
  ],
  ALLOWED_ATTR: ['href', 'start', 'align'],
  ALLOWED_URI_REGEXP: /^(?:https?:|mailto:)/i,
  RETURN_DOM_FRAGMENT: true as const,
}

/** Writes a text into an element, as Markdown unless it is too long. */
export function renderMarkdown(element: HTMLElement, text: string): void {
  if (text.length > MOST_CHARS) {
    element.classList.add('plain')
    element.textContent = text
    return
  }
  element.classList.remove('plain')
  element.replaceChildren(purifier.sanitize(marked.parse(text, { async: false }), options))
}
