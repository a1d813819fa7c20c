/** Puts a bar with language and copy button above blocks of code, and colors their code when that part is loaded. */
import { purifier } from './purifier.ts'

/** Longest code to color. */
const MOST_CHARS = 20_000

const options = { ALLOWED_TAGS: ['span'], ALLOWED_ATTR: ['class'], RETURN_DOM_FRAGMENT: true as const }

/** Adds the bars. */
export function addCodeBars(root: DocumentFragment): void {
  for (const pre of root.querySelectorAll<HTMLElement>('pre')) {
    const bar = document.createElement('div')
    bar.className = 'code-bar'
    const name = document.createElement('span')
    name.textContent = pre.dataset.lang ?? ''
    bar.append(name)
    if ('clipboard' in navigator) bar.append(makeCopyButton(pre))
    const block = document.createElement('div')
    block.className = 'code'
    pre.tabIndex = 0
    pre.replaceWith(block)
    block.append(bar, pre)
  }
}

function makeCopyButton(pre: HTMLElement): HTMLButtonElement {
  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'quiet'
  button.textContent = 'Copy'
  button.setAttribute('aria-label', 'Copy this code')
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(pre.textContent ?? '')
    button.textContent = 'Copied'
    setTimeout(() => {
      button.textContent = 'Copy'
    }, 1_500)
  })
  return button
}

/** Colors the code of a whole text, after the script for it has come. */
export function colorCode(root: HTMLElement): void {
  const blocks = [...root.querySelectorAll<HTMLElement>('pre[data-lang]:not([data-colored])')].filter(
    ({ dataset, textContent }) => dataset.lang && (textContent ?? '').length <= MOST_CHARS,
  )
  if (blocks.length === 0) return
  void import('./code.ts').then(
    ({ colorize }) => {
      for (const pre of blocks) {
        const code = pre.querySelector('code')
        if (!code || pre.dataset.colored) continue
        pre.dataset.colored = 'yes'
        const markup = colorize(code.textContent ?? '', pre.dataset.lang ?? '')
        if (markup !== undefined) code.replaceChildren(purifier.sanitize(markup, options))
      }
    },
    () => {}, // The code stays as it is.
  )
}
