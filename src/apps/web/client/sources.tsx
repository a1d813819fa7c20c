/** Shows what a sentence of the answer shares with each proposal, in the proposal's words. */
import type { SentenceAttribution, Source } from '../../../analyze/attribution.ts'
import type { Shown } from './attributed.ts'

const MOST_SHOWN = 6
const AROUND = 60

/** Lists the proposals that the selected sentence shares text with. */
export function Sources({ sentence, shown }: { sentence: SentenceAttribution | undefined; shown: Shown[] }) {
  return (
    <aside
      class={`sources${sentence ? ' open' : ''}`}
      aria-label="Where this sentence comes from"
      aria-live="polite"
    >
      {!sentence && <p class="soft placeholder">Point at a sentence to see which proposals it came from.</p>}
      {sentence?.isNew && (
        <p>
          <strong>New.</strong> No proposal has four of its words in a row.
        </p>
      )}
      {sentence && !sentence.isNew && (
        <p>
          <strong>
            In {sentence.sources.length} of {shown.length} proposals
          </strong>
          , with {Math.round(sentence.copyRate * 100)} % of its words.
        </p>
      )}
      <ul>
        {sentence?.sources.slice(0, MOST_SHOWN).map((source) => (
          <Excerpt key={source.proposal} source={source} shown={shown[source.proposal] as Shown} />
        ))}
      </ul>
      {sentence && sentence.sources.length > MOST_SHOWN && (
        <p class="soft">and {sentence.sources.length - MOST_SHOWN} more</p>
      )}
    </aside>
  )
}

/** Shows the longest shared run, with the text around it. */
function Excerpt({ source, shown }: { source: Source; shown: Shown }) {
  const longest = source.spans.reduce((a, b) =>
    b.from.end - b.from.start > a.from.end - a.from.start ? b : a,
  )
  const { start, end } = longest.from
  const { text } = shown.map
  const before = text.slice(Math.max(0, start - AROUND), start)
  const after = text.slice(end, end + AROUND)
  const reveal = () => {
    shown.card.scrollIntoView({ block: 'center', behavior: 'smooth' })
    shown.card.querySelector<HTMLElement>('.body')?.focus({ preventScroll: true })
  }
  return (
    <li class={`hue-${shown.index % 8}`}>
      <button type="button" class="link" onClick={reveal}>
        {shown.name}
      </button>
      <span class="soft"> {Math.round(source.share * 100)} %</span>
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
