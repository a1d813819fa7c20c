/** Journals of `aft run`: their prompts, one at a time, and two runs side by side. */
import { useState } from 'preact/hooks'
import { type Journal, readJournal } from './journal.ts'
import { PromptList } from './prompt-list.tsx'
import { count } from './text.tsx'
import { TurnView } from './turn.tsx'

/** Shows at most two journals, and the same prompt in both. */
export function JournalView({ onClose }: { onClose: () => void }) {
  const { journals, error, id, setId, open } = useJournals()
  const [first, second] = journals
  return (
    <section class="journal" aria-label="Journals">
      <div class="journal-bar">
        <h1>Journals</h1>
        <FileButton label={first ? 'Open another' : 'Open a journal'} onFiles={(files) => open(files, 0)} />
        {first && (
          <FileButton
            label={second ? 'Compare with another' : 'Compare with a second'}
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
          <code>aft run prompts.jsonl -o answers.jsonl</code> writes <code>answers.jsonl.journal</code>. The
          browser reads it here and sends it nowhere.
        </p>
      )}
      {journals.map((journal) => (
        <About key={journal.name} journal={journal} />
      ))}
      {first && (
        <div class="journal-columns">
          <PromptList turns={first.turns} id={id} onSelect={setId} />
          <Runs journals={journals} id={id} />
        </div>
      )}
    </section>
  )
}

function useJournals() {
  const [journals, setJournals] = useState<Journal[]>([])
  const [error, setError] = useState('')
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
  return { journals, error, id, setId, open }
}

function About({ journal: { name, turns, strategy, seed, badLines } }: { journal: Journal }) {
  return (
    <p class="soft">
      {name}: {count(turns.length, 'prompt')}
      {strategy && `, ${strategy}, seed ${seed}`}
      {badLines > 0 && `, ${count(badLines, 'line')} could not be read`}
    </p>
  )
}

function Runs({ journals, id }: { journals: Journal[]; id: string | undefined }) {
  const shown = journals.flatMap((journal) => {
    const turn = journal.turns.find((turn) => turn.id === id)
    return turn ? [{ journal, turn }] : []
  })
  return (
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
