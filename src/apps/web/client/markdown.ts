/** Markdown to elements. What a model wrote is hostile: markup in it is sanitised, and nothing is loaded for it. */
import createPurifier from 'dompurify'
import { Marked } from 'marked'

const escapeText = (text: string) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`)

/** HTML of the writer's own is shown as text, and an image as its description: to load one tells that somebody reads. */
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

/** Longer texts are shown as they were written: laying them out would stop the page. */
export const MOST_CHARS = 120_000

/** A second lock behind the first: what the parser should not make is not let through. */
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

/** Puts a text into an element, as Markdown where it is not too long. */
export function renderMarkdown(element: HTMLElement, text: string): void {
  if (text.length > MOST_CHARS) {
    element.classList.add('plain')
    element.textContent = text
    return
  }
  element.classList.remove('plain')
  element.replaceChildren(purifier.sanitize(marked.parse(text, { async: false }), options))
}
