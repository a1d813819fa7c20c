/** Finds formulas in Markdown, and shows them when the part of the page that draws formulas is loaded. */
import type { TokenizerAndRendererExtension, Tokens } from 'marked'

/** Longest formula, in characters. Longer ones stay as they are written. */
const MOST_CHARS = 1_500
/** Formulas of one text that are drawn. */
const MOST_FORMULAS = 400

const escapeText = (text: string) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`)

/** True if a text may have a formula. */
export const hasMath = (text: string) => /\$|\\[([]|\\begin\{/.test(text)

/** Reads what stands between two marks at the start of a text. */
function between(src: string, open: string, close: string): { raw: string; text: string } | undefined {
  if (!src.startsWith(open)) return undefined
  const end = src.slice(0, MOST_CHARS).indexOf(close, open.length)
  if (end < 0) return undefined
  const text = src.slice(open.length, end)
  return text.trim() === '' ? undefined : { raw: src.slice(0, end + close.length), text: text.trim() }
}

const environment =
  /^\\begin\{((?:equation|align|aligned|gather|gathered|multline|eqnarray|array|cases|[bpvV]?matrix)\*?)\}/

function readBlock(src: string) {
  const name = environment.exec(src)?.[1]
  const found = name
    ? between(src, `\\begin{${name}}`, `\\end{${name}}`)
    : (between(src, '$$', '$$') ?? between(src, '\\[', '\\]'))
  if (!found) return undefined
  const after = /^[ \t]*(?:\n+|$)/.exec(src.slice(found.raw.length, found.raw.length + 200))
  if (!after) return undefined
  return { type: 'mathBlock', raw: found.raw + after[0], text: name ? found.raw : found.text }
}

/** `$` is also money: a formula has no space at its inner edges, and no word or digit after it. */
function readDollars(src: string) {
  const found = /^\$(?![\s$])((?:[^$\\\n]|\\[^\n]){1,400}?)(?<!\s)\$(?![\w$])/.exec(src)
  return found ? { raw: found[0], text: found[1] as string } : undefined
}

function readInline(src: string) {
  const display = between(src, '$$', '$$') ?? between(src, '\\[', '\\]')
  if (display) return { type: 'mathDisplay', ...display }
  const inline = between(src, '\\(', '\\)') ?? readDollars(src)
  return inline && { type: 'mathInline', ...inline }
}

const render = (kind: string) => (token: Tokens.Generic) =>
  `<span data-math="${kind}">${escapeText(String(token.text))}</span>`

/** Earliest mark of a formula. */
function findStart(src: string): number | undefined {
  const found = [src.indexOf('$'), src.indexOf('\\')].filter((at) => at >= 0)
  return found.length > 0 ? Math.min(...found) : undefined
}

function findBlockStart(src: string): number | undefined {
  const found = ['\n$$', '\n\\[', '\n\\begin{'].map((mark) => src.indexOf(mark)).filter((at) => at >= 0)
  return found.length > 0 ? Math.min(...found) + 1 : undefined
}

/** Rules for marked. A formula becomes `<span data-math="inline">`, with its source as text. */
export const mathExtensions: TokenizerAndRendererExtension[] = [
  {
    name: 'mathBlock',
    level: 'block',
    start: findBlockStart,
    tokenizer: readBlock,
    renderer: (token) => `<p>${render('block')(token)}</p>\n`,
  },
  {
    name: 'mathInline',
    level: 'inline',
    start: findStart,
    tokenizer: readInline,
    renderer: render('inline'),
  },
  { name: 'mathDisplay', level: 'inline', renderer: render('block') },
]

type Draw = (tex: string, isBlock: boolean) => Element | undefined
let draw: Draw | undefined
let isLoading = false
const drawn = new Map<string, Element>()

/** Draws all formulas of an element. The first time, they are drawn when the script for it has come. */
export function showMath(root: DocumentFragment | HTMLElement): void {
  const formulas = [...root.querySelectorAll<HTMLElement>('[data-math]:not([data-tex])')]
  if (formulas.length === 0) return
  if (!draw) {
    load()
    return
  }
  for (const formula of formulas.slice(0, MOST_FORMULAS)) {
    const tex = formula.textContent ?? ''
    const element = drawOnce(draw, tex, formula.dataset.math === 'block')
    formula.dataset.tex = tex
    if (element) formula.replaceChildren(element.cloneNode(true))
    if (element && formula.dataset.math === 'block') formula.tabIndex = 0 // A wide one scrolls.
  }
}

function load(): void {
  if (isLoading) return
  isLoading = true
  const show = (module: { drawMath: Draw }) => {
    draw = module.drawMath
    for (const text of document.querySelectorAll<HTMLElement>('.md')) showMath(text)
  }
  // After an error the formulas stay as written, and the next text tries again.
  import('./math.ts').then(show, () => {
    isLoading = false
  })
}

function drawOnce(draw: Draw, tex: string, isBlock: boolean): Element | undefined {
  const key = `${isBlock} ${tex}`
  const known = drawn.get(key)
  if (known) return known
  const element = draw(tex, isBlock)
  if (drawn.size > 1_000) drawn.clear()
  if (element) drawn.set(key, element)
  return element
}
