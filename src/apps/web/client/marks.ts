/** Turns offsets in a rendered text into places on the page. */

import type { Span } from '../../../analyze/attribution.ts'

/** A text, with the nodes that show it. */
export interface TextMap {
  text: string
  nodes: { node: Text; start: number }[]
}

const BLOCKS = 'p, li, td, th, h1, h2, h3, h4, h5, h6, pre, blockquote, .md'

/** Reads an element's text, one line per block. */
export function mapText(root: Element): TextMap {
  const map: TextMap = { text: '', nodes: [] }
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT, (node) =>
    node instanceof Element && node.matches('.code-bar, [data-math] > *')
      ? NodeFilter.FILTER_REJECT
      : NodeFilter.FILTER_ACCEPT,
  )
  const pieces: string[] = []
  let [length, before] = [0, null as Element | null]
  const add = (piece: string) => {
    pieces.push(piece)
    length += piece.length
  }
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    // The words of a formula count, but its elements stay as they are.
    if (node instanceof HTMLElement && node.dataset.math) add(` ${node.dataset.tex ?? node.textContent} `)
    if (!(node instanceof Text) || node.parentElement?.dataset.math) continue
    const block = node.parentElement?.closest(BLOCKS) ?? null
    if (before && block !== before) add('\n')
    before = block
    map.nodes.push({ node, start: length })
    add(node.data)
  }
  map.text = pieces.join('')
  return map
}

/** Finds the node at an offset, by binary search. */
function nodeAt({ nodes }: TextMap, offset: number): number {
  let [low, high] = [0, nodes.length - 1]
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((nodes[middle]?.start ?? 0) <= offset) low = middle
    else high = middle - 1
  }
  return low
}

/** Returns the range of a span; undefined if there is no text. */
export function rangeOf(map: TextMap, { start, end }: Span): Range | undefined {
  const first = map.nodes[nodeAt(map, start)]
  const last = map.nodes[nodeAt(map, end - 1)]
  if (!first || !last) return undefined
  const range = document.createRange()
  range.setStart(first.node, Math.min(start - first.start, first.node.length))
  range.setEnd(last.node, Math.min(end - last.start, last.node.length))
  return range
}

/** Wraps each span in elements `span.sentence` with its number. A span that crosses other markup needs several. */
export function wrapSpans(map: TextMap, spans: Span[], classOf: (i: number) => string): void {
  let at = 0
  for (const { node, start } of map.nodes) {
    const end = start + node.length
    while (at < spans.length && (spans[at] as Span).end <= start) at++
    const parts: (Node | string)[] = []
    let done = start
    for (let i = at; i < spans.length && (spans[i] as Span).start < end; i++) {
      const span = spans[i] as Span
      const [from, to] = [Math.max(span.start, start), Math.min(span.end, end)]
      if (from > done) parts.push(node.data.slice(done - start, from - start))
      const element = document.createElement('span')
      element.className = `sentence ${classOf(i)}`
      element.dataset.sentence = String(i)
      if (span.start >= start) element.tabIndex = -1
      element.textContent = node.data.slice(from - start, to - start)
      parts.push(element)
      done = to
    }
    if (parts.length === 0 || node.parentElement?.closest('pre')) continue
    if (done < end) parts.push(node.data.slice(done - start))
    node.replaceWith(...parts)
  }
}

/** Paints ranges without changing the page's elements. */
export function highlight(ranges: Range[]): void {
  if (!('highlights' in CSS)) return
  if (ranges.length === 0) CSS.highlights.delete('aft-source')
  else CSS.highlights.set('aft-source', new Highlight(...ranges))
}
