/** The prompts of a journal, to search, to filter and to choose from. */
import { useState } from 'preact/hooks'
import { Select } from './fields.tsx'
import { type Filter, filterPairs, filters, gainOf, isUsable, type Pair } from './pairs.ts'
import { count } from './text.tsx'

const MOST_LISTED = 300

interface Props {
  pairs: Pair[]
  /** Id of the prompt that is shown. */
  id: string | undefined
  onSelect: (id: string) => void
}

/** Lists the prompts whose id or text contains the search text, and that the filter lets through. */
export function PromptList({ pairs, id, onSelect }: Props) {
  const [search, setSearch] = useState('')
  const [filter, setFilter] = useState<Filter>('all')
  const listed = filterPairs(pairs, filter, search)
  return (
    <nav aria-label="Prompts">
      <input
        type="search"
        placeholder="Search prompts"
        aria-label="Search prompts"
        value={search}
        onInput={(e) => setSearch(e.currentTarget.value)}
      />
      <Select
        label="Filter"
        value={filter}
        options={filters
          .filter(({ needs }) => isUsable(needs, pairs))
          .map(({ name, about }) => [name, about])}
        onChange={(name) => setFilter(name as Filter)}
      />
      <p class="soft" role="status">
        {listed.length === 0
          ? 'No prompt is like this.'
          : `${listed.length} of ${count(pairs.length, 'prompt')}`}
      </p>
      <ul>
        {listed.slice(0, MOST_LISTED).map((pair) => (
          <li key={pair.id}>
            <button
              type="button"
              class="entry"
              aria-current={pair.id === id ? 'true' : undefined}
              onClick={() => onSelect(pair.id)}
            >
              <span dir="auto">{pair.first.question.slice(0, 160) || pair.id}</span>
              <span class="soft">
                {pair.id} {markOf(pair)}
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

function markOf(pair: Pair): string {
  const gain = gainOf(pair)
  if (gain) return gain > 0 ? `+${round(gain)}` : `−${round(-gain)}`
  const { run } = pair.first
  if (run.state === 'failed') return 'failed'
  if (run.state === 'stopped') return 'open'
  return run.degradedBecause.length > 0 ? 'degraded' : ''
}

const round = (value: number) => Math.round(value * 100) / 100
