/** A question, its proposals, and the answer. */
import { useRef, useState } from 'preact/hooks'
import { Agreement } from './agreement.tsx'
import { Answer } from './answer.tsx'
import type { Fix } from './api.ts'
import { FixDialog } from './fix.tsx'
import { useFolds } from './folds.ts'
import { Layers, useGroups } from './layers.tsx'
import { answerOf, hasAnswerBegun, type RunView, type Turn } from './run.ts'
import { Trouble } from './trouble.tsx'

interface Props {
  turn: Turn
  /** True if the server keeps corrected answers. */
  hasFixes: boolean
  heading?: string
  note?: string
}

/** Shows one turn of a conversation or journal. */
export function TurnView({ turn, hasFixes, heading, note }: Props) {
  const [lit, setLit] = useState<Set<string>>(new Set())
  const [isFixing, setFixing] = useState(false)
  const ref = useRef<HTMLElement>(null)
  const { run, question } = turn
  const folds = useFolds(run, () => ref.current)
  const groups = useGroups(run)
  const fix = hasFixes ? fixOf(turn) : undefined
  return (
    <article class="turn" ref={ref} data-state={run.state}>
      {heading && <p class="soft column-name">{heading}</p>}
      <h2 class="question" dir="auto">
        {question}
      </h2>
      {note && <p class="banner">{note}</p>}
      <Layers {...{ run, lit, folds, groups }} />
      <Trouble run={run} />
      {hasAnswerBegun(run) && <Agreement run={run} folds={folds} />}
      {hasAnswerBegun(run) ? (
        <Answer
          run={run}
          onLit={setLit}
          onShow={folds.show}
          onFix={fix && (() => setFixing(true))}
          turnElement={() => ref.current}
        />
      ) : (
        // A line of its own for each layer: it appears below the layer, and does not move there.
        <Waiting key={run.layers.length} run={run} />
      )}
      {isFixing && fix && <FixDialog fix={fix} onClose={() => setFixing(false)} />}
    </article>
  )
}

/** Says what the answer waits for. */
function Waiting({ run }: { run: RunView }) {
  const author = answerOf(run)
  if (run.state !== 'running') return null
  const before = run.layers.length > 0 ? 'Answer: waits for the proposals' : 'waiting for its turn'
  const what = author ? (author.note ?? 'reading the proposals') : before
  return (
    <p class="soft pulse waiting" role="status">
      {what}
    </p>
  )
}

/** Makes the aggregation to correct: the conversation, and the proposals in the order in which its writer saw them. */
function fixOf({ messages, run }: Turn): Fix | undefined {
  const author = answerOf(run)
  const from = run.from?.layer ?? 0
  if (run.state !== 'done' || !author || from !== run.layers.length - 1) return undefined
  const before = run.layers[from - 1]?.members ?? []
  const proposals = (author.saw ?? []).flatMap((index) => before.filter((m) => m.index === index))
  if (messages.some((m) => typeof m.content !== 'string' || m.role === 'tool')) return undefined
  return {
    messages: messages.map(({ role, content }) => ({ role, content: content as string })),
    proposals: proposals.map(({ text, engine = '' }) => ({ text, model: engine })),
    model: author.engine ?? '',
    completion: run.answer ?? '',
    template: run.template,
  }
}
