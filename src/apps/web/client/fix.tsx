/** Corrects an answer. The result is a training example in the operator's file. */
import { useState } from 'preact/hooks'
import { type Fix, sendFix } from './api.ts'
import { Modal } from './modal.tsx'
import { Problem } from './text.tsx'

/** Shows a form with the answer to correct. */
export function FixDialog({ fix, onClose }: { fix: Fix; onClose: () => void }) {
  const [text, setText] = useState(fix.completion)
  const [state, setState] = useState<'editing' | 'saving' | 'saved'>('editing')
  const [error, setError] = useState('')
  const save = async (event: Event) => {
    event.preventDefault()
    setState('saving')
    setError('')
    try {
      await sendFix({ ...fix, completion: text })
      setState('saved')
    } catch (problem) {
      setError((problem as Error).message)
      setState('editing')
    }
  }
  return (
    <Modal title="Fix this answer" onClose={onClose}>
      {state === 'saved' ? (
        <p role="status">Saved as a training example, with its {fix.proposals.length} proposals.</p>
      ) : (
        <form onSubmit={save}>
          <label>
            The answer as it should have been
            <textarea rows={14} value={text} dir="auto" onInput={(e) => setText(e.currentTarget.value)} />
          </label>
          <Problem text={error} />
          <p class="soft">It is added, with the question and the proposals, to the server's file of fixes.</p>
          <button type="submit" class="primary" disabled={state === 'saving' || text.trim() === ''}>
            Save the fix
          </button>
        </form>
      )}
    </Modal>
  )
}
