/** Turns Markdown into elements. A model's text may be hostile: its markup is sanitized, and it loads nothing. */
import { Marked, type Token } from 'marked'
import { addCodeBars } from './code-blocks.ts'
import { hasMath, mathExtensions, showMath } from './math-text.ts'
import { purifier } from './purifier.ts'

const escapeText = (text: string) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`)

/** Shows HTML as text and an image as its description, because loading an image would reveal the reader. */
const plain = {
  gfm: true,
  renderer: {
    html: ({ text }: { text: string }) => (/^<br\s*\/?>$/i.test(text.trim()) ? '<br>' : escapeText(text)),
    image: ({ text }: { text: string }) => escapeText(text),
    code({ text, lang = '' }: { text: string; lang?: string }) {
      const [name = ''] = lang.match(/^[\w+#.-]{1,20}/) ?? []
      return `<pre data-lang="${escapeText(name.toLowerCase())}"><code>${escapeText(text)}\n</code></pre>\n`
    },
  },
}
const withoutMath = new Marked(plain)
const withMath = new Marked(plain, { extensions: mathExtensions })

/** Longest text to format. Longer texts are shown unformatted, because formatting them would block the page. */
export const MOST_CHARS = 120_000

const tags =
  'p br hr h1 h2 h3 h4 h5 h6 ul ol li blockquote pre code em strong del a table thead tbody tr th td sub sup kbd span'

/** A second protection: allows only elements that the parser should make. */
const options = {
  ALLOWED_TAGS: tags.split(' '),
  ALLOWED_ATTR: ['href', 'start', 'align', 'data-lang', 'data-math'],
  ADD_URI_SAFE_ATTR: ['start', 'align', 'data-lang', 'data-math'],
  ALLOW_DATA_ATTR: false,
  ALLOWED_URI_REGEXP: /^(?:https?:|mailto:)/i,
  RETURN_DOM_FRAGMENT: true as const,
}

/** What of a growing text will not change any more. */
interface Grown {
  /** The blocks in Markdown. */
  blocks: string[]
  /** How many characters and child nodes they are. */
  chars: number
  nodes: number
}
const grown = new WeakMap<HTMLElement, Grown>()

/**
 * Writes a text into an element, as Markdown unless it is too long.
 * @param isGrowing true if the text will get longer: then only its last blocks are written, and the others stay
 */
export function renderMarkdown(element: HTMLElement, text: string, isGrowing = false): void {
  element.classList.remove('plain')
  if (text.length > MOST_CHARS) {
    showPlain(element, text)
    return
  }
  try {
    format(element, text, isGrowing)
  } catch {
    showPlain(element, text) // Nested too deep for the parser's stack.
  }
}

function showPlain(element: HTMLElement, text: string): void {
  grown.delete(element)
  element.classList.add('plain')
  element.textContent = text
}

function format(element: HTMLElement, text: string, isGrowing: boolean): void {
  const parser = hasMath(text) ? withMath : withoutMath
  const known = grown.get(element)
  if (isGrowing) grow(element, text, parser, known && isContinued(text, known) ? known : undefined)
  else if (!known || !finish(element, text, parser, known)) {
    element.replaceChildren(toElements(parser, parser.lexer(text)))
  }
  if (!isGrowing) grown.delete(element)
}

/** Only the last known block is compared: a text that was begun anew differs there. */
function isContinued(text: string, { blocks, chars }: Grown): boolean {
  const last = blocks.at(-1) ?? ''
  return text.startsWith(last, chars - last.length)
}

/** Writes all blocks that may still change. A block is whole when another one follows it. */
function grow(element: HTMLElement, text: string, parser: Marked, known?: Grown): void {
  const kept = known ?? { blocks: [], chars: 0, nodes: 0 }
  while (element.childNodes.length > kept.nodes) element.lastChild?.remove()
  const tokens: Token[] = parser.lexer(text.slice(kept.chars))
  const last = tokens.findLastIndex((token) => token.type !== 'space')
  const whole = tokens.slice(0, Math.max(0, last))
  if (whole.length > 0) {
    element.append(toElements(parser, whole))
    for (const { raw } of whole) {
      kept.blocks.push(raw)
      kept.chars += raw.length
    }
    kept.nodes = element.childNodes.length
  }
  element.append(toElements(parser, tokens.slice(Math.max(0, last))))
  grown.set(element, kept)
}

/** Writes the end of a text whose first blocks are there. Returns false if they would be others in the whole text. */
function finish(element: HTMLElement, text: string, parser: Marked, kept: Grown): boolean {
  const tokens = parser.lexer(text)
  const isSame = kept.blocks.every((raw, i) => tokens[i]?.raw === raw)
  if (!isSame || Object.keys(tokens.links).length > 0) return false
  while (element.childNodes.length > kept.nodes) element.lastChild?.remove()
  element.append(toElements(parser, tokens.slice(kept.blocks.length)))
  return true
}

function toElements(parser: Marked, tokens: Token[]): DocumentFragment {
  const fragment = purifier.sanitize(parser.parser(tokens), options)
  showMath(fragment)
  addCodeBars(fragment)
  return fragment
}
