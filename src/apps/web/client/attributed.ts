/** Compares a rendered answer with its rendered proposals: which sentence shares text with which proposal. */
import { type Attribution, attribute, type SentenceAttribution } from '../../../analyze/attribution.ts'
import { highlight, mapText, rangeOf, type TextMap, wrapSpans } from './marks.ts'
import { hueOf, nameOf, placeOf } from './places.ts'
import type { RunView } from './run.ts'

/** A proposal on the page. */
export interface Shown {
  layer: number
  index: number
  name: string
  map: TextMap
  card: HTMLElement
}

/** What the sentences of an answer share with the proposals on the page. */
export interface Attributed extends Attribution {
  shown: Shown[]
}

/** Most characters to compare. For more text, the search takes longer than a reader waits. */
const MOST_CHARS = 3_000_000

/** The least text that shows an origin: three words, or four characters of a script without spaces. */
const LEAST_SHOWN = /\S\s+\S+\s+\S|\p{Lo}{4}/u

/** Compares an answer with the proposals of the layers before it, and wraps its sentences in elements. */
export function attributeRendered(
  answer: HTMLElement,
  turn: HTMLElement,
  run: RunView,
): Attributed | undefined {
  const from = run.from?.layer ?? run.layers.length - 1
  const shown: Shown[] = run.layers.slice(0, from).flatMap((layer, depth) =>
    layer.members.flatMap(({ index, excluded, text }) => {
      const card = turn.querySelector<HTMLElement>(`[data-place="${placeOf(depth, index)}"]`)
      const body = card?.querySelector('.md')
      if (!card || !body || excluded || !text) return []
      return [{ layer: depth, index, name: nameOf(depth, index), map: mapText(body), card }]
    }),
  )
  const map = mapText(answer)
  const chars = shown.reduce((sum, { map }) => sum + map.text.length, map.text.length)
  if (shown.length === 0 || chars > MOST_CHARS) return undefined
  const found = attribute(
    map.text,
    shown.map(({ map }) => map.text),
  )
  // A table cell or a single word is too short to show its origin.
  found.sentences = found.sentences.filter((s) => LEAST_SHOWN.test(map.text.slice(s.start, s.end)))
  wrapSpans(map, found.sentences, (i) => classOf(found.sentences[i] as SentenceAttribution, shown))
  const first = answer.querySelector<HTMLElement>('.sentence[tabindex]')
  if (first) first.tabIndex = 0
  return { ...found, shown }
}

function classOf({ isNew, sources }: SentenceAttribution, shown: Shown[]): string {
  if (isNew) return 'new'
  // An aggregation copies proposals: the color is that of the proposal, even if the aggregation shares more.
  const first = sources.flatMap(({ proposal }) => shown[proposal] ?? []).find(({ layer }) => layer === 0)
  return hueOf(first?.index)
}

/** Returns the places of the proposals that a sentence shares text with. */
export function placesOf(sentence: SentenceAttribution | undefined, shown: Shown[]): Set<string> {
  const sources = (sentence?.sources ?? []).flatMap(({ proposal }) => shown[proposal] ?? [])
  return new Set(sources.map(({ layer, index }) => placeOf(layer, index)))
}

/** Marks the shared runs in the cards, and scrolls each card to its first one. */
export function paintSources(sentence: SentenceAttribution | undefined, shown: Shown[]): void {
  const ranges: Range[] = []
  for (const { proposal, spans } of sentence?.sources ?? []) {
    const { map, card } = shown[proposal] as Shown
    const own = spans.map(({ from }) => rangeOf(map, from)).filter((range) => range !== undefined)
    ranges.push(...own)
    const body = card.querySelector('.body')
    const [first] = own
    if (!body || !first) continue
    const top = first.getBoundingClientRect().top - body.getBoundingClientRect().top
    if (top < 0 || top > body.clientHeight - 24) body.scrollTop += top - body.clientHeight / 3
  }
  highlight(ranges)
}
