/** Journals of `aft run`, answers and results of `aft eval`: prompts, one at a time, and two of them side by side. */
import { useEffect, useState } from 'preact/hooks'
import { AnswerDiff } from './answer-diff.tsx'
import { readRuns, type ShownRun } from './api.ts'
import { TotalsTable } from './comparison.tsx'
import { Select } from './fields.tsx'
import { FileButton } from './file-button.tsx'
import { droppedOf, type Opened, openedOf, openedRun } from './follow-file.ts'
import type { Journal } from './journal.ts'
import { type Pair, pairUp } from './pairs.ts'
import { PromptList } from './prompt-list.tsx'
import { RatingButtons } from './rating.tsx'
import { ABOUT_DEMO } from './replay.ts'
import { ResultView } from './result-view.tsx'
import { count, Markdown } from './text.tsx'
import { TurnView } from './turn.tsx'
import { useJournals } from './use-journals.ts'

const ENDINGS = '.journal,.jsonl,.json'

interface Props {
  hasRatings: boolean
  /** True if the server shows journals of running programs. */
  hasRuns: boolean
  onClose: () => void
}

/** Shows at most two journals, and the same prompt in both; and what a result says. */
export function JournalView({ hasRatings, hasRuns, onClose }: Props) {
  const { journals, result, error, reading, open, openSamples, isSample, isFollowed } = useJournals()
  const [chosen, setChosen] = useState<[number, number | undefined]>([0, 1])
  const [id, setId] = useState<string>()
  const first = journals[chosen[0]] ?? journals[0]
  const second = chosen[1] === undefined ? undefined : journals[chosen[1]]
  const pairs = first ? pairUp(first, second === first ? undefined : second) : []
  return (
    <section
      class="journal"
      aria-label="Journals"
      onDragOver={(e) => e.preventDefault()}
      onDrop={async (e) => {
        e.preventDefault()
        open(await droppedOf(e.dataTransfer), e.shiftKey)
      }}
    >
      <Bar
        isEmpty={!first && !result}
        hasFirst={first !== undefined}
        hasSecond={second !== undefined}
        onOpen={open}
        onClose={onClose}
      />
      {error && (
        <p class="banner failed" role="alert">
          {error}
        </p>
      )}
      {reading && (
        <p class="soft pulse" role="status">
          Reading {reading}
        </p>
      )}
      {!first && !result && <Empty onSamples={openSamples} />}
      {hasRuns && <ShownRuns onOpen={(run) => open([run], false)} />}
      {result && <ResultView {...result} />}
      {isSample && <p class="banner">{ABOUT_DEMO}</p>}
      {journals.length > 2 && <Choice journals={journals} chosen={chosen} onChoose={setChosen} />}
      {[first, second].map((journal) => journal && <About key={journal.name} journal={journal} />)}
      {isFollowed && <p class="soft">Followed: what a running program adds is shown as it comes.</p>}
      {first && second && second !== first && <Totals pairs={pairs} names={[first.name, second.name]} />}
      {first && (
        <div class="journal-columns">
          <PromptList pairs={pairs} id={id ?? pairs[0]?.id} onSelect={setId} />
          <Runs
            hasRatings={hasRatings}
            sources={[first, second]}
            pair={pairs.find((pair) => pair.id === id) ?? pairs[0]}
            names={second && second !== first ? [first.name, second.name] : undefined}
          />
        </div>
      )}
    </section>
  )
}

interface BarProps {
  isEmpty: boolean
  hasFirst: boolean
  hasSecond: boolean
  onOpen: (files: Opened[], isSecond: boolean) => void
  onClose: () => void
}

function Bar({ isEmpty, hasFirst, hasSecond, onOpen, onClose }: BarProps) {
  return (
    <div class="journal-bar">
      <h1>Journals</h1>
      <FileButton
        label={isEmpty ? 'Open files' : 'Open others'}
        accept={ENDINGS}
        onFiles={(files) => onOpen(openedOf(files), false)}
        multiple
      />
      {hasFirst && (
        <FileButton
          label={hasSecond ? 'Compare with another' : 'Compare with a second'}
          accept={ENDINGS}
          onFiles={(files) => onOpen(openedOf(files), true)}
          multiple
        />
      )}
      <button type="button" class="quiet" onClick={onClose}>
        Back to the chat
      </button>
    </div>
  )
}

function Empty({ onSamples }: { onSamples: () => void }) {
  return (
    <div class="drop-zone">
      <p>
        <strong>Drop or open files</strong>: a journal of <code>aft run</code>, or <code>result.json</code>{' '}
        and <code>questions.jsonl</code> of <code>aft eval</code>. Open two journals to compare them.
      </p>
      <p class="soft">
        <code>aft run prompts.jsonl -o answers.jsonl</code> writes <code>answers.jsonl.journal</code>. Files
        stay in your browser.
      </p>
      <p>
        <button type="button" onClick={onSamples}>
          Open two examples
        </button>
      </p>
    </div>
  )
}

/** The journals that the server shows, each with a button that opens and follows it. */
function ShownRuns({ onOpen }: { onOpen: (run: Opened) => void }) {
  const [runs, setRuns] = useState<ShownRun[]>([])
  useEffect(() => void readRuns().then(setRuns, () => {}), [])
  return (
    <p class="row">
      <span class="soft">Runs of this server:</span>
      {runs.map(({ name, bytes }, place) => (
        <button
          key={place}
          type="button"
          disabled={bytes === null}
          onClick={() => onOpen(openedRun(place, name))}
        >
          Follow {name}
        </button>
      ))}
    </p>
  )
}

interface ChoiceProps {
  journals: Journal[]
  chosen: [number, number | undefined]
  onChoose: (chosen: [number, number | undefined]) => void
}

/** An evaluation has more than two ways to answer: the reader chooses which two to see. */
function Choice({ journals, chosen, onChoose }: ChoiceProps) {
  const pick = (label: string, name: string, value: number | undefined, onPick: (at: number) => void) => (
    // biome-ignore lint/a11y/noLabelWithoutControl: it is in Select
    <label>
      {label}{' '}
      <Select
        label={name}
        value={String(value)}
        options={journals.map(({ name }, at) => [String(at), name])}
        onChange={(at) => onPick(Number(at))}
      />
    </label>
  )
  return (
    <p class="row choice">
      {pick('Compare', 'First answers', chosen[0], (at) => onChoose([at, chosen[1]]))}
      {pick('with', 'Second answers', chosen[1], (at) => onChoose([chosen[0], at]))}
    </p>
  )
}

function About({ journal: { name, turns, strategy, seed, badLines, scores } }: { journal: Journal }) {
  const all = Object.values(scores ?? {})
  const mean = all.reduce((sum, score) => sum + score, 0) / all.length
  return (
    <p class="soft">
      {name}: {count(turns.length, 'prompt')}
      {strategy && `, ${strategy}, seed ${seed}`}
      {all.length > 0 && `, mean score ${Math.round(mean * 1_000) / 1_000}`}
      {badLines > 0 && `, ${count(badLines, 'line')} could not be read`}
    </p>
  )
}

/** Sums over the prompts that both have. */
function Totals({ pairs, names }: { pairs: Pair[]; names: [string, string] }) {
  const both = pairs.flatMap(({ first, second }) => (second ? [[first.run, second.run] as const] : []))
  if (both.length === 0) return null
  return (
    <details class="totals-of-both">
      <summary>What both took, over {count(both.length, 'prompt')}</summary>
      <TotalsTable runs={[both.map(([first]) => first), both.map(([, second]) => second)]} names={names} />
    </details>
  )
}

interface RunsProps {
  pair: Pair | undefined
  hasRatings: boolean
  sources: [Journal, Journal | undefined]
  /** Names of the journals, if there are two. */
  names?: [string, string]
}

function Runs({ pair, hasRatings, sources, names }: RunsProps) {
  if (!pair) return null
  const shown = [pair.first, pair.second].flatMap((turn, at) => (turn ? [{ turn, at }] : []))
  const [before, after] = [pair.first.run.answer, pair.second?.run.answer]
  return (
    <div>
      {names && before !== undefined && after !== undefined && (
        <AnswerDiff before={before} after={after} names={names} />
      )}
      <div class={`runs${shown.length > 1 ? ' two' : ''}`}>
        {shown.map(({ turn, at }) => (
          <div key={`${at} ${sources[at]?.name} ${turn.id}`} class="rated">
            <TurnView turn={turn} hasFixes={false} heading={headingOf(names?.[at], pair.scores[at])} />
            {hasRatings && turn.run.state === 'done' && (
              <RatingButtons turn={turn} source={sources[at]?.name ?? ''} />
            )}
            <Grade text={sources[at]?.grades?.[turn.id]} />
          </div>
        ))}
        {names && shown.length < 2 && <p class="soft">Only one of the two journals has this prompt.</p>}
      </div>
    </div>
  )
}

/** What a judge wrote of an answer. */
function Grade({ text }: { text: string | undefined }) {
  if (text === undefined) return null
  return (
    <details class="grade">
      <summary>What the judge wrote</summary>
      <Markdown text={text} />
    </details>
  )
}

const headingOf = (name: string | undefined, score: number | undefined) =>
  [name, score !== undefined && `score ${score}`].filter(Boolean).join(': ')
