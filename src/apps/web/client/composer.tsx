/** The field for questions. Enter sends, Shift with Enter starts a new line. */
import type { ComponentChildren, Ref } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { AttachmentList } from './attachment-list.tsx'
import { type Attachment, MOST_FILES, readAttachment } from './attachments.ts'
import { FileButton } from './file-button.tsx'
import { EstimateNote, Pickers, type PickersProps } from './pickers.tsx'
import { Problem } from './text.tsx'

interface Props {
  /** What floats above the field. */
  above?: ComponentChildren
  text: string
  onText: (text: string) => void
  isRunning: boolean
  onAsk: (files: Attachment[]) => void
  onStop: () => void
  pickers: PickersProps
}

/** Shows the field, what is attached, the pickers, and Ask or Stop. */
export function Composer({ above, text, onText, isRunning, onAsk, onStop, pickers }: Props) {
  const { files, error, attach, remove, clear } = useAttachments()
  const isEmpty = text.trim() === '' && files.length === 0
  const send = (event: Event) => {
    event.preventDefault()
    if (isRunning || isEmpty) return
    onAsk(files)
    clear()
  }
  return (
    <form
      class="composer"
      onSubmit={send}
      onDragOver={(e) => e.preventDefault()}
      onDrop={(e) => {
        e.preventDefault()
        void attach(e.dataTransfer?.files)
      }}
    >
      {above}
      <div class="composer-box">
        <AttachmentList files={files} onRemove={remove} />
        <Problem text={error} />
        <Field text={text} onText={onText} onSend={send} onFiles={attach} />
        <div class="composer-bar">
          <FileButton
            label="Attach"
            accept="image/png,image/jpeg,image/gif,image/webp,text/*,.md,.json,.jsonl,.csv,.ts,.py"
            onFiles={attach}
            class="quiet"
            multiple
          />
          <Pickers {...pickers} />
          {!isRunning && <EstimateNote {...pickers} text={text} />}
          {isRunning ? (
            <button type="button" class="primary stop" onClick={onStop}>
              Stop
            </button>
          ) : (
            <button type="submit" class="primary" disabled={isEmpty}>
              Ask
            </button>
          )}
        </div>
      </div>
    </form>
  )
}

interface FieldProps {
  text: string
  onText: (text: string) => void
  onSend: (event: Event) => void
  onFiles: (files: FileList) => void
}

function Field({ text, onText, onSend, onFiles }: FieldProps) {
  return (
    <textarea
      ref={useGrowingField(text)}
      rows={1}
      value={text}
      dir="auto"
      aria-label="Your question"
      placeholder="Ask something"
      onInput={(e) => onText(e.currentTarget.value)}
      onPaste={(e) => {
        if (e.clipboardData?.files.length) onFiles(e.clipboardData.files)
      }}
      onKeyDown={(e) => {
        const isMeant = !e.shiftKey || e.ctrlKey || e.metaKey
        if (e.key === 'Enter' && isMeant && !e.isComposing) onSend(e)
      }}
    />
  )
}

/** Makes the field as high as its text, and gives it the focus at the start. */
function useGrowingField(text: string): Ref<HTMLTextAreaElement> {
  const field = useRef<HTMLTextAreaElement>(null)
  useEffect(() => field.current?.focus({ preventScroll: true }), [])
  useEffect(() => {
    const area = field.current
    if (!area) return
    area.style.height = 'auto'
    area.style.height = `${Math.min(area.scrollHeight + 2, 220)}px`
  }, [text])
  return field
}

function useAttachments() {
  const [files, setFiles] = useState<Attachment[]>([])
  const [error, setError] = useState('')
  const attach = async (chosen: FileList | null | undefined) => {
    setError('')
    try {
      const read = await Promise.all([...(chosen ?? [])].slice(0, MOST_FILES).map(readAttachment))
      setFiles((before) => [...before, ...read].slice(0, MOST_FILES))
    } catch (problem) {
      setError((problem as Error).message)
    }
  }
  return {
    files,
    error,
    attach,
    remove: (file: Attachment) => setFiles((before) => before.filter((other) => other !== file)),
    clear: () => setFiles([]),
  }
}
