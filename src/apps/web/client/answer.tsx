/** Shows the answer. If the reader points at a sentence, the proposals that share text with it light up. */
import type { RefObject } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { type Attributed, attributeRendered, paintSources, placesOf } from './attributed.ts'
import type { Folds } from './folds.ts'
import { useMarks } from './history.ts'
import { answerOf, type RunView } from './run.ts'
import { keepInSight, markSentence, moveBy, sentenceAt } from './sentences.ts'
import { Sources } from './sources.tsx'
import { count, Markdown, Thoughts } from './text.tsx'
import { Totals } from './totals.tsx'

interface Props {
  run: RunView
  /** Gets the places of the proposals that the selected sentence shares text with. */
  onLit: (places: Set<string>) => void
  /** Opens a layer at the card of a place. */
  onShow: Folds['show']
  onFix?: () => void
  turnElement: () => HTMLElement | null
}

/** Shows the answer while it grows, and its end. */
export function Answer({ run, onLit, onShow, onFix, turnElement }: Props) {
  const ref = useRef<HTMLDivElement>(null)
  const { found, onRender } = useAttribution(run, ref, turnElement)
  const { sentence, select } = useSelection(found, ref, onLit)
  const [isMarked, mark] = useMarks()
  const isRunning = run.state === 'running'
  const text = run.answer ?? answerOf(run)?.text ?? ''
  const { reasoning: thoughts, engine, thoughtMs } = answerOf(run) ?? {}
  return (
    <section class="answer" aria-busy={isRunning}>
      <div class="answer-text">
        <h3>Answer {engine && <span class="engine">by {engine}</span>}</h3>
        {thoughts && <Thoughts text={thoughts} isOver={text !== ''} ms={thoughtMs} />}
        {/* biome-ignore lint/a11y/noStaticElementInteractions: its sentences take focus and keys */}
        {/* biome-ignore lint/a11y/useKeyWithMouseEvents: onFocusIn does the same */}
        <div
          ref={ref}
          class={`prose${found && isMarked ? ' attributed' : ''}`}
          onMouseOver={(event) => select(sentenceAt(event.target))}
          onMouseLeave={() => select(undefined)}
          onFocusIn={(event) => {
            select(sentenceAt(event.target))
            keepInSight(event.target, turnElement())
          }}
          onKeyDown={(event) => moveBy(event, ref.current, () => select(undefined))}
        >
          {text && <Markdown text={text} isGrowing={isRunning} onRender={onRender} />}
        </div>
        {run.isCut && <p class="notice">The answer was cut at its token limit.</p>}
        {found && <Legend found={found} isMarked={isMarked} onMark={mark} />}
        {!isRunning && <Totals run={run} onFix={onFix} />}
      </div>
      {found && (
        <Sources sentence={sentence} shown={found.shown} onShow={onShow} onClose={() => select(undefined)} />
      )}
    </section>
  )
}

/** Attributes the answer after each rendering, because a rendering removes the sentences' elements. */
function useAttribution(
  run: RunView,
  prose: RefObject<HTMLElement | null>,
  turnElement: () => HTMLElement | null,
): { found?: Attributed; onRender: () => void } {
  const [found, setFound] = useState<Attributed>()
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  // The timer also waits for the cards to be laid out.
  const onRender = () => {
    clearTimeout(timer.current)
    timer.current = setTimeout(() => {
      const element = prose.current?.querySelector<HTMLElement>('.md')
      const turn = turnElement()
      if (run.state === 'running' || !run.answer || !element || !turn) return
      setFound(attributeRendered(element, turn, run))
    })
  }
  useEffect(() => () => clearTimeout(timer.current), [])
  return { found, onRender }
}

/** Keeps the sentence that the reader points at. */
function useSelection(
  found: Attributed | undefined,
  prose: RefObject<HTMLElement | null>,
  onLit: (places: Set<string>) => void,
) {
  const [selected, setSelected] = useState<number>()
  const sentenceOf = (i: number | undefined) => (i === undefined ? undefined : found?.sentences[i])
  const select = (i: number | undefined) => {
    if (i === selected) return
    setSelected(i)
    markSentence(prose.current, i)
    paintSources(sentenceOf(i), found?.shown ?? [])
    onLit(placesOf(sentenceOf(i), found?.shown ?? []))
  }
  return { sentence: sentenceOf(selected), select }
}

interface LegendProps {
  found: Attributed
  isMarked: boolean
  onMark: (isMarked: boolean) => void
}

function Legend({ found, isMarked, onMark }: LegendProps) {
  const fresh = found.sentences.filter((s) => s.isNew).length
  return (
    <p class="legend soft">
      <button type="button" class="toggle" aria-pressed={isMarked} onClick={() => onMark(!isMarked)}>
        Color by source
      </button>
      <span>{Math.round(found.copyRate * 100)} % of the words are in proposals</span>
      {fresh > 0 && (
        <span>
          <span class="swatch">{count(fresh, 'sentence')}</span> {fresh === 1 ? 'is' : 'are'} new
        </span>
      )}
      <span class="hint">point at a sentence, or tab to it and use the arrow keys</span>
      <span class="hint-touch">tap a sentence to see its sources</span>
    </p>
  )
}
