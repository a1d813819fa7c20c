/** A question, its proposals, and the answer. */
import { useRef, useState } from 'preact/hooks'
import { Answer } from './answer.tsx'
import type { Fix } from './api.ts'
import { FixDialog } from './fix.tsx'
import { Layers, nameOf } from './layers.tsx'
import { answerOf, type Turn } from './run.ts'

interface Props {
  turn: Turn
  /** True if the server keeps corrected answers. */
  hasFixes: boolean
  heading?: string
}

/** Shows one turn of a conversation or journal. */
export function TurnView({ turn, hasFixes, heading }: Props) {
  const [lit, setLit] = useState<Set<string>>(new Set())
  const [isFixing, setFixing] = useState(false)
  const ref = useRef<HTMLElement>(null)
  const { run, question } = turn
  const fix = hasFixes ? fixOf(turn) : undefined
  return (
    <article class="turn" ref={ref} data-state={run.state}>
      {heading && <p class="soft column-name">{heading}</p>}
      <h2 class="question" dir="auto">
        {question}
      </h2>
      <Layers run={run} lit={lit} />
      <Trouble turn={turn} />
      {(run.state === 'running' || run.answer !== undefined) && (
        <Answer
          run={run}
          onLit={setLit}
          onFix={fix && (() => setFixing(true))}
          turnElement={() => ref.current}
        />
      )}
      {isFixing && fix && <FixDialog fix={fix} onClose={() => setFixing(false)} />}
    </article>
  )
}

/** Shows errors above the answer, because half an answer must not look like a whole one. */
function Trouble({ turn: { run } }: { turn: Turn }) {
  const failures = run.layers.flatMap((layer, depth) =>
    layer.members.filter((m) => m.error).map((m) => `${nameOf(depth, m.index)}: ${m.error}`),
  )
  const isDegraded = run.degradedBecause.length > 0
  if (run.state === 'stopped')
    return (
      <p class="banner" role="status">
        Stopped: what follows is not a whole answer.
      </p>
    )
  if (run.state !== 'failed' && !isDegraded && failures.length === 0) return null
  return (
    <div
      class={`banner${run.state === 'failed' ? ' failed' : ''}`}
      role={run.state === 'failed' ? 'alert' : 'status'}
    >
      <strong>
        {run.state === 'failed'
          ? 'No answer'
          : isDegraded
            ? 'Degraded: less than requested'
            : 'A completion failed'}
      </strong>
      {run.error && <p>{run.error}</p>}
      <ul>
        {[...new Set([...run.degradedBecause, ...failures])].slice(0, 20).map((reason) => (
          <li key={reason}>{reason}</li>
        ))}
      </ul>
    </div>
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
