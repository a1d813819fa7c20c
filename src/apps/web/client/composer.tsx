/** The field for questions. Enter sends, Shift with Enter starts a new line. */
import { useEffect, useRef } from 'preact/hooks'

interface Props {
  text: string
  onText: (text: string) => void
  isRunning: boolean
  onAsk: () => void
  onStop: () => void
  /** The settings in a few words. */
  about: string
  onSettings: () => void
}

/** Shows the field, a button for the settings, and Ask or Stop. */
export function Composer({ text, onText, isRunning, onAsk, onStop, about, onSettings }: Props) {
  const ref = useRef<HTMLTextAreaElement>(null)
  useEffect(() => ref.current?.focus(), [])
  useEffect(() => {
    const area = ref.current
    if (!area) return
    area.style.height = 'auto'
    area.style.height = `${Math.min(area.scrollHeight + 2, 220)}px`
  }, [text])
  const send = (event: Event) => {
    event.preventDefault()
    if (!isRunning && text.trim()) onAsk()
  }
  return (
    <form class="composer" onSubmit={send}>
      <textarea
        ref={ref}
        rows={1}
        value={text}
        dir="auto"
        aria-label="Your question"
        placeholder="Ask something"
        onInput={(e) => onText(e.currentTarget.value)}
        onKeyDown={(e) => {
          if (e.key === 'Enter' && !e.shiftKey && !e.isComposing) send(e)
          if (e.key === 'Escape' && isRunning) onStop()
        }}
      />
      <div class="composer-bar">
        <button type="button" class="quiet about" onClick={onSettings} aria-label={`Settings: ${about}`}>
          {about}
        </button>
        {isRunning ? (
          <button type="button" class="primary stop" onClick={onStop}>
            Stop
          </button>
        ) : (
          <button type="submit" class="primary" disabled={text.trim() === ''}>
            Ask
          </button>
        )}
      </div>
    </form>
  )
}
