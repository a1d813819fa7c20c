/** The answer, and where its sentences come from: point at one, and the proposals that it shares text with light up. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { type Attribution, attribute, type SentenceAttribution } from '../../../analyze/attribution.ts'
import { nameOf, placeOf } from './layers.tsx'
import { highlight, mapText, rangeOf, type TextMap, wrapSpans } from './marks.ts'
import type { RunView, Turn } from './run.ts'
import { answerOf } from './run.ts'
import { Sources } from './sources.tsx'
import { count, formatCost, formatMs, Markdown } from './text.tsx'

/** A proposal as it stands on the page. */
export interface Shown {
  layer: number
  index: number
  name: string
  map: TextMap
  card: HTMLElement
}

interface Found extends Attribution {
  shown: Shown[]
}

/** More than this takes longer than anybody points at a sentence for. */
const MOST_CHARS = 3_000_000

/** Three words, or four characters of a script without spaces. */
const LEAST_SHOWN = /\S\s+\S+\s+\S|\p{Lo}{4}/u

/** What each sentence of a rendered answer shares with the rendered proposals of the layers before it. */
function find(answer: HTMLElement, turn: HTMLElement, run: RunView): Found | undefined {
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
  // A cell or a word alone says nothing of where it comes from.
  found.sentences = found.sentences.filter((s) => LEAST_SHOWN.test(map.text.slice(s.start, s.end)))
  wrapSpans(map, found.sentences, (i) => classOf(found.sentences[i] as SentenceAttribution, shown))
  const first = answer.querySelector<HTMLElement>('.sentence[tabindex]')
  if (first) first.tabIndex = 0
  return { ...found, shown }
}

function classOf({ isNew, sources }: SentenceAttribution, shown: Shown[]): string {
  if (isNew) return 'new'
  const [first] = sources
  return first ? `hue-${(shown[first.proposal]?.index ?? 0) % 8}` : ''
}

interface Props {
  turn: Turn
  onLit: (places: Set<string>) => void
  onFix?: () => void
  turnElement: () => HTMLElement | null
}

export function Answer({ turn: { run }, onLit, onFix, turnElement }: Props) {
  const [found, setFound] = useState<Found>()
  const [selected, setSelected] = useState<number>()
  const ref = useRef<HTMLDivElement>(null)
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  const isRunning = run.state === 'running'
  const text = run.answer ?? answerOf(run)?.text ?? ''
  const thoughts = answerOf(run)?.reasoning

  /** Each rendering takes the sentences away again; the cards are laid out by then too. */
  const onRender = () => {
    clearTimeout(timer.current)
    timer.current = setTimeout(() => {
      const element = ref.current?.querySelector<HTMLElement>('.md')
      const turn = turnElement()
      if (run.state !== 'running' && run.answer && element && turn) setFound(find(element, turn, run))
    })
  }
  useEffect(() => () => clearTimeout(timer.current), [])

  const select = (i: number | undefined) => {
    if (i === selected) return
    setSelected(i)
    const sentence = i === undefined ? undefined : found?.sentences[i]
    for (const element of ref.current?.querySelectorAll('.sentence.on') ?? []) element.classList.remove('on')
    for (const element of ref.current?.querySelectorAll(`[data-sentence="${i}"]`) ?? [])
      element.classList.add('on')
    paint(sentence, found?.shown ?? [])
    const places = sentence?.sources
      .map(({ proposal }) => found?.shown[proposal])
      .filter((s) => s !== undefined)
    onLit(new Set(places?.map(({ layer, index }) => placeOf(layer, index))))
  }
  const sentence = selected === undefined ? undefined : found?.sentences[selected]
  const fresh = found?.sentences.filter((s) => s.isNew).length ?? 0
  return (
    <section class="answer" aria-label="Answer" aria-busy={isRunning}>
      <div class="answer-text">
        {!text && thoughts && <p class="thinking soft">{thoughts}</p>}
        {!text && isRunning && <p class="soft pulse">{waitingFor(run)}</p>}
        {/* biome-ignore lint/a11y/noStaticElementInteractions: its sentences take focus and keys */}
        {/* biome-ignore lint/a11y/useKeyWithMouseEvents: onFocusIn does the same */}
        <div
          ref={ref}
          class={`prose${found ? ' attributed' : ''}`}
          onMouseOver={(event) => select(sentenceAt(event.target))}
          onMouseLeave={() => select(undefined)}
          onFocusIn={(event) => select(sentenceAt(event.target))}
          onKeyDown={(event) => moveBy(event, ref.current, () => select(undefined))}
        >
          {text && <Markdown text={text} isGrowing={isRunning} onRender={onRender} />}
        </div>
        {run.isCut && <p class="notice">The answer was cut at its token limit.</p>}
        {found && (
          <p class="legend soft">
            <span>{Math.round(found.copyRate * 100)} % of its words stand in a proposal</span>
            {fresh > 0 && (
              <span>
                <span class="swatch">{count(fresh, 'sentence')}</span> {fresh === 1 ? 'is' : 'are'} new
              </span>
            )}
            <span class="hint">point at a sentence, or tab to it and use the arrow keys</span>
          </p>
        )}
        {!isRunning && <Totals run={run} text={run.answer} onFix={onFix} />}
      </div>
      {found && <Sources sentence={sentence} shown={found.shown} />}
    </section>
  )
}

function waitingFor(run: RunView): string {
  return run.layers.length === 0
    ? 'waiting for its turn'
    : answerOf(run)
      ? 'reading the proposals'
      : 'the proposals come first'
}

function sentenceAt(target: EventTarget | null): number | undefined {
  const element = target instanceof Element ? target.closest<HTMLElement>('[data-sentence]') : null
  return element ? Number(element.dataset.sentence) : undefined
}

/** Arrow keys go from sentence to sentence; Escape lets go. */
function moveBy(event: KeyboardEvent, prose: HTMLElement | null, release: () => void): void {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key]
  if (event.key === 'Escape') release()
  const current = sentenceAt(event.target)
  if (step === undefined || current === undefined || !prose) return
  const next = prose.querySelector<HTMLElement>(`[data-sentence="${current + step}"][tabindex]`)
  if (!next) return
  event.preventDefault()
  for (const element of prose.querySelectorAll<HTMLElement>('[tabindex="0"].sentence')) element.tabIndex = -1
  next.tabIndex = 0
  next.focus()
}

/** Marks the shared runs in the cards, and brings the first of each into view within its card. */
function paint(sentence: SentenceAttribution | undefined, shown: Shown[]): void {
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

function Totals({ run, text, onFix }: { run: RunView; text: string | undefined; onFix?: () => void }) {
  const [isCopied, setCopied] = useState(false)
  const { usage, ms, seed } = run
  const made = run.layers.reduce(
    (sum, layer) => sum + layer.members.filter((m) => m.state === 'done').length,
    0,
  )
  const facts = [
    run.strategy,
    count(made, 'completion'),
    usage && `${count(usage.inputTokens, 'token')} in, ${usage.outputTokens.toLocaleString('en')} out`,
    formatMs(ms),
    formatCost(usage?.cost),
    seed === undefined ? '' : `seed ${seed}`,
  ]
  const copy = async () => {
    await navigator.clipboard.writeText(text ?? '')
    setCopied(true)
    setTimeout(() => setCopied(false), 1_500)
  }
  return (
    <footer class="totals soft">
      <span>{facts.filter(Boolean).join(' · ')}</span>
      <span class="actions">
        {text && 'clipboard' in navigator && (
          <button type="button" class="quiet" onClick={copy}>
            {isCopied ? 'Copied' : 'Copy'}
          </button>
        )}
        {onFix && (
          <button type="button" class="quiet" onClick={onFix}>
            Fix this answer
          </button>
        )}
      </span>
    </footer>
  )
}
