/** Keys that work anywhere on the page. */
import { useEffect, useRef } from 'preact/hooks'

/** `/` goes to the field for questions, and Escape stops. In a dialog both keep their meaning. */
export function useKeys(onStop: () => void): void {
  const latest = useRef(onStop)
  latest.current = onStop
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || document.querySelector('dialog[open]')) return
      if (event.key === 'Escape') latest.current()
      const isTyping = event.target instanceof Element && event.target.closest('input, textarea, select')
      if (event.key !== '/' || isTyping || event.ctrlKey || event.metaKey || event.altKey) return
      event.preventDefault()
      document.querySelector<HTMLElement>('.composer textarea')?.focus()
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [])
}
