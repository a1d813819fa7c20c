/** Shows what a sentence of the answer shares with each proposal, in the proposal's words. */
import type { SentenceAttribution, Source } from '../../../analyze/attribution.ts'
import type { Shown } from './attributed.ts'
import type { Folds } from './folds.ts'
import { hueOf, placeOf } from './places.ts'

const MOST_SHOWN = 6
const AROUND = 60

interface Props {
  sentence: SentenceAttribution | undefined
  shown: Shown[]
  onShow: Folds['show']
  onClose: () => void
}

/** Lists the proposals that the selected sentence shares text with. */
export function Sources({ sentence, shown, onShow, onClose }: Props) {
  return (
    <div class={`sources${sentence ? ' open' : ''}`} aria-live="polite">
      {sentence && (
        <button type="button" class="quiet close" aria-label="Close the sources" onClick={onClose}>
          ✕
        </button>
      )}
      {!sentence && (
        <p class="soft placeholder">
          Point at a sentence, or tab to it, to see which proposals it came from.
        </p>
      )}
      {sentence?.isNew && (
        <p>
          <strong>New.</strong> No proposal has four of its words in a row.
        </p>
      )}
      {sentence && !sentence.isNew && <Origins sentence={sentence} shown={shown} onShow={onShow} />}
    </div>
  )
}

/** Lists the proposals. Aggregations copy them, so they are only counted, unless no proposal has the text. */
function Origins({
  sentence: { sources, copyRate },
  shown,
  onShow,
}: Omit<Props, 'onClose'> & { sentence: SentenceAttribution }) {
  const layerOf = ({ proposal }: Source) => shown[proposal]?.layer ?? 0
  const depths = [...new Set(shown.map((s) => s.layer))].sort((a, b) => a - b)
  const counts = depths.map((depth) => {
    const [own, all] = [sources.filter((s) => layerOf(s) === depth), shown.filter((s) => s.layer === depth)]
    return { depth, own, text: `${own.length} of ${all.length}` }
  })
  const first = counts.find(({ own }) => own.length > 0)
  const later = counts.filter(({ depth }) => depth > 0)
  if (!first) return null
  return (
    <>
      <p>
        <strong>Shared with {counts[0]?.text} proposals</strong>
        {later.map(({ depth, text }) => `, kept by ${text} of layer ${depth + 1}`)}:{' '}
        {Math.round(copyRate * 100)} % of this sentence’s words.
      </p>
      <ul>
        {first.own.slice(0, MOST_SHOWN).map((source) => (
          <Excerpt
            key={source.proposal}
            source={source}
            shown={shown[source.proposal] as Shown}
            onShow={onShow}
          />
        ))}
      </ul>
      {first.own.length > MOST_SHOWN && <p class="soft">and {first.own.length - MOST_SHOWN} more</p>}
    </>
  )
}

/** Shows the longest shared run, with the text around it. */
function Excerpt({ source, shown, onShow }: { source: Source; shown: Shown; onShow: Folds['show'] }) {
  const longest = source.spans.reduce((a, b) =>
    b.from.end - b.from.start > a.from.end - a.from.start ? b : a,
  )
  const { start, end } = longest.from
  const { text } = shown.map
  const before = text.slice(Math.max(0, start - AROUND), start)
  const after = text.slice(end, end + AROUND)
  const { layer, index } = shown
  return (
    <li class={hueOf(layer === 0 ? index : undefined)}>
      <button type="button" class="link" onClick={() => onShow(layer, placeOf(layer, index))}>
        {shown.name}
      </button>
      <span class="soft"> {Math.round(source.share * 100)} % of its words</span>
      <q dir="auto">
        {start > AROUND ? '…' : ''}
        {before}
        <mark>{text.slice(start, end)}</mark>
        {after}
        {end + AROUND < text.length ? '…' : ''}
      </q>
    </li>
  )
}
