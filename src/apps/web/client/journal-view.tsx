/** Journals of `aft run`: their prompts, one at a time, and two runs side by side. */
import { useState } from 'preact/hooks'
import type { Journal } from './journal.ts'
import { readJournal } from './journal.ts'
import type { Turn } from './run.ts'
import { count } from './text.tsx'
import { TurnView } from './turn.tsx'

const MOST_LISTED = 300

/** What a list says of a prompt. */
function markOf({ run }: Turn): string {
  if (run.state === 'failed') return 'failed'
  if (run.state === 'stopped') return 'open'
  return run.degradedBecause.length > 0 ? 'degraded' : ''
}

export function JournalView({ onClose }: { onClose: () => void }) {
  const [journals, setJournals] = useState<Journal[]>([])
  const [error, setError] = useState('')
  const [search, setSearch] = useState('')
  const [id, setId] = useState<string>()

  const open = async (files: FileList | null | undefined, at: number) => {
    const file = files?.[0]
    if (!file) return
    try {
      const journal = readJournal(file.name, await file.text())
      setJournals((before) => (at === 0 ? [journal, ...before.slice(1)] : [...before.slice(0, 1), journal]))
      setError('')
      if (at === 0) setId(journal.turns[0]?.id)
    } catch (problem) {
      setError((problem as Error).message)
    }
  }
  const [first] = journals
  const wanted = search.toLowerCase()
  const listed =
    first?.turns.filter((turn) => `${turn.id} ${turn.question}`.toLowerCase().includes(wanted)) ?? []
  const shown = journals.flatMap((journal) => {
    const turn = journal.turns.find((turn) => turn.id === id)
    return turn ? [{ journal, turn }] : []
  })
  return (
    <section class="journal" aria-label="Journals">
      <div class="journal-bar">
        <h1>Journals</h1>
        <FileButton label={first ? 'Open another' : 'Open a journal'} onFiles={(files) => open(files, 0)} />
        {first && (
          <FileButton
            label={journals[1] ? 'Compare with another' : 'Compare with a second'}
            onFiles={(files) => open(files, 1)}
          />
        )}
        <button type="button" class="quiet" onClick={onClose}>
          Back to the chat
        </button>
      </div>
      {error && (
        <p class="banner failed" role="alert">
          {error}
        </p>
      )}
      {!first && (
        <p class="soft">
          <code>aft run prompts.jsonl -o answers.jsonl</code> writes <code>answers.jsonl.journal</code>. It is
          read here in the browser and sent nowhere.
        </p>
      )}
      {journals.map((journal) => (
        <p class="soft" key={journal.name}>
          {journal.name}: {count(journal.turns.length, 'prompt')}
          {journal.strategy && `, ${journal.strategy}, seed ${journal.seed}`}
          {journal.badLines > 0 && `, ${count(journal.badLines, 'line')} could not be read`}
        </p>
      ))}
      {first && (
        <div class="journal-columns">
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
                    onClick={() => setId(turn.id)}
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
          <div class={`runs${shown.length > 1 ? ' two' : ''}`}>
            {shown.map(({ journal, turn }, at) => (
              <TurnView
                key={`${at} ${journal.name} ${turn.id}`}
                turn={turn}
                hasFixes={false}
                heading={journals.length > 1 ? journal.name : undefined}
              />
            ))}
            {journals.length > 1 && shown.length < 2 && (
              <p class="soft">Only one of the two journals has this prompt.</p>
            )}
          </div>
        </div>
      )}
    </section>
  )
}

function FileButton({ label, onFiles }: { label: string; onFiles: (files: FileList | null) => void }) {
  return (
    <label class="button">
      {label}
      <input type="file" accept=".journal,.jsonl,.json" onChange={(e) => onFiles(e.currentTarget.files)} />
    </label>
  )
}
