/** The prompts of a journal, to search and to choose from. */
import { useState } from 'preact/hooks'
import type { Turn } from './run.ts'

const MOST_LISTED = 300

interface Props {
  turns: Turn[]
  /** Id of the prompt that is shown. */
  id: string | undefined
  onSelect: (id: string) => void
}

/** Lists the prompts whose id or text contains the search text. */
export function PromptList({ turns, id, onSelect }: Props) {
  const [search, setSearch] = useState('')
  const wanted = search.toLowerCase()
  const listed = turns.filter((turn) => `${turn.id} ${turn.question}`.toLowerCase().includes(wanted))
  return (
    <nav aria-label="Prompts">
      <input
        type="search"
        placeholder="Search prompts"
        aria-label="Search prompts"
        value={search}
        onInput={(e) => setSearch(e.currentTarget.value)}
      />
      <ul>
        {listed.slice(0, MOST_LISTED).map((turn) => (
          <li key={turn.id}>
            <button
              type="button"
              class="entry"
              aria-current={turn.id === id ? 'true' : undefined}
              onClick={() => onSelect(turn.id)}
            >
              <span dir="auto">{turn.question.slice(0, 160) || turn.id}</span>
              <span class="soft">
                {turn.id} {markOf(turn)}
              </span>
            </button>
          </li>
        ))}
      </ul>
      {listed.length > MOST_LISTED && (
        <p class="soft">and {listed.length - MOST_LISTED} more: search for them</p>
      )}
    </nav>
  )
}

function markOf({ run }: Turn): string {
  if (run.state === 'failed') return 'failed'
  if (run.state === 'stopped') return 'open'
  return run.degradedBecause.length > 0 ? 'degraded' : ''
}
