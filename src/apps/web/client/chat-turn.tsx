/** A turn of the chat: its run, and what a reader can do with it. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { AttachmentList } from './attachment-list.tsx'
import { attachmentsOf } from './attachments.ts'
import { Comparison } from './comparison.tsx'
import { RatingButtons } from './rating.tsx'
import { isContinuable } from './resume.ts'
import { contentOf, type Turn } from './run.ts'
import { placeOfShown, runsOf } from './runs.ts'
import { TurnView } from './turn.tsx'

/** What a reader can do with a turn. */
export interface TurnActions {
  onRetry: () => void
  onEdit: (question: string) => void
  onResume: () => void
  onShow: (at: number) => void
}

interface Props {
  turn: Turn
  hasFixes: boolean
  hasRatings: boolean
  isLast: boolean
  /** True while any question is answered. */
  isBusy: boolean
  note?: string
  actions: TurnActions
}

/** Shows a turn with its actions, or two of its runs side by side. */
export function ChatTurn({ turn, hasFixes, hasRatings, isLast, isBusy, note, actions }: Props) {
  const [isEditing, setEditing] = useState(false)
  const [isCompared, setCompared] = useState(false)
  const all = runsOf(turn)
  const at = placeOfShown(turn)
  const other = all[at === 0 ? 1 : at - 1]
  return (
    <div class="chat-turn">
      <AttachmentList files={attachmentsOf(contentOf(turn))} />
      {isCompared && other ? (
        <Comparison
          first={{ ...turn, ...other }}
          second={turn}
          names={[nameOf(all, other), nameOf(all, all[at])]}
          onClose={() => setCompared(false)}
        />
      ) : (
        <TurnView key={`${turn.id} ${at}`} turn={turn} hasFixes={hasFixes} note={note} />
      )}
      {isEditing ? (
        <EditForm
          question={turn.question}
          onCancel={() => setEditing(false)}
          onSend={(question) => {
            setEditing(false)
            actions.onEdit(question)
          }}
        />
      ) : (
        <Bar
          turn={turn}
          isLast={isLast}
          isBusy={isBusy}
          actions={actions}
          onEdit={() => setEditing(true)}
          compare={other && { isOn: isCompared, toggle: () => setCompared(!isCompared) }}
        />
      )}
      {hasRatings && turn.run.state === 'done' && (
        <RatingButtons key={`${turn.id} ${at}`} turn={turn} source="chat" />
      )}
    </div>
  )
}

function nameOf(all: { about?: string }[], run: { about?: string } | undefined): string {
  const place = run ? all.indexOf(run) : -1
  return `Run ${place === -1 ? all.length : place + 1}${run?.about ? `: ${run.about}` : ''}`
}

interface BarProps extends Pick<Props, 'turn' | 'isLast' | 'isBusy' | 'actions'> {
  onEdit: () => void
  compare?: { isOn: boolean; toggle: () => void }
}

function Bar({ turn, isLast, isBusy, actions, onEdit, compare }: BarProps) {
  if (turn.run.state === 'running' || isBusy) return null
  const hasFailed = turn.run.state === 'failed'
  return (
    <p class="turn-bar">
      {isLast && isContinuable(turn.run) && (
        <button type="button" class="primary" onClick={actions.onResume}>
          Continue
        </button>
      )}
      <button
        type="button"
        class={hasFailed && isLast ? 'primary' : 'quiet'}
        title={isLast ? undefined : 'In a new conversation up to here; this one stays in History'}
        onClick={actions.onRetry}
      >
        {hasFailed ? 'Try again' : 'Run again'}
      </button>
      <button type="button" class="quiet" onClick={onEdit}>
        Edit
      </button>
      <RunPicker turn={turn} onShow={actions.onShow} isDisabled={!isLast} />
      {compare && (
        <button type="button" class="quiet" aria-pressed={compare.isOn} onClick={compare.toggle}>
          Side by side
        </button>
      )}
    </p>
  )
}

interface PickerProps {
  turn: Turn
  onShow: (at: number) => void
  /** Later turns go on from the run that is shown. */
  isDisabled: boolean
}

function RunPicker({ turn, onShow, isDisabled }: PickerProps) {
  const runs = runsOf(turn)
  const at = placeOfShown(turn)
  if (runs.length < 2) return null
  const step = (name: string, sign: string, to: number) => (
    <button
      type="button"
      class="quiet"
      aria-label={name}
      disabled={isDisabled || !runs[to]}
      onClick={() => onShow(to)}
    >
      {sign}
    </button>
  )
  return (
    <span class="run-picker">
      {step('Earlier run', '‹', at - 1)}
      <span title={turn.about}>
        run {at + 1} of {runs.length}
      </span>
      {step('Later run', '›', at + 1)}
    </span>
  )
}

interface EditProps {
  question: string
  onSend: (question: string) => void
  onCancel: () => void
}

function EditForm({ question, onSend, onCancel }: EditProps) {
  const [text, setText] = useState(question)
  const form = useRef<HTMLFormElement>(null)
  useEffect(() => form.current?.scrollIntoView({ block: 'nearest', behavior: 'instant' }), [])
  return (
    <form
      ref={form}
      class="edit"
      onSubmit={(event) => {
        event.preventDefault()
        onSend(text)
      }}
    >
      <textarea
        rows={3}
        value={text}
        dir="auto"
        aria-label="Edit the question"
        ref={(area) => area?.focus()}
        onInput={(e) => setText(e.currentTarget.value)}
        onKeyDown={(e) => e.key === 'Escape' && onCancel()}
      />
      <p class="row">
        <button type="submit" class="primary" disabled={text.trim() === ''}>
          Ask this instead
        </button>
        <button type="button" class="quiet" onClick={onCancel}>
          Cancel
        </button>
        <span class="soft">It becomes a new conversation. This one stays in History.</span>
      </p>
    </form>
  )
}
