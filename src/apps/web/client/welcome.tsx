/** The start of a new conversation. */

/** Questions that a small model has a chance with, and whose drafts differ: short, of common knowledge, without arithmetic. */
const samples = [
  'Why do we need sleep?',
  'Give three tips for a long walk.',
  'Write two sentences about the sea.',
]

/** Shows what the page does, and questions to try. */
export function Welcome({ onAsk, onExample }: { onAsk: (question: string) => void; onExample: () => void }) {
  return (
    <section class="welcome">
      <Picture />
      <h1>Several drafts, one answer, every source visible</h1>
      <p class="soft">
        Models propose side by side, then one of them writes the answer from what came back. Point at a
        sentence of it to see where it came from.
      </p>
      <ul class="samples">
        {samples.map((sample) => (
          <li key={sample}>
            <button type="button" onClick={() => onAsk(sample)}>
              {sample}
            </button>
          </li>
        ))}
      </ul>
      <p>
        <button type="button" class="quiet example" onClick={onExample}>
          ▷ See an example without a model
        </button>
      </p>
    </section>
  )
}

const heights = [14, 46, 78]

/** Draws three proposals, three aggregations of all of them, and one answer. */
function Picture() {
  return (
    <svg viewBox="0 0 220 92" aria-hidden="true" class="picture">
      <g class="lines">
        {heights.flatMap((from) =>
          heights.map((to) => <path key={`${from} ${to}`} d={`M20 ${from}L110 ${to}`} />),
        )}
        {heights.map((from) => (
          <path key={from} d={`M110 ${from}L196 46`} />
        ))}
      </g>
      {heights.map((y, i) => (
        <g key={y}>
          <circle cx="20" cy={y} r="8" class={`hue-${i}`} />
          <circle cx="110" cy={y} r="8" class={`hue-${i}`} />
        </g>
      ))}
      <circle cx="196" cy="46" r="12" class="end" />
    </svg>
  )
}
