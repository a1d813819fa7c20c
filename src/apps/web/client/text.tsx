/** Renders text that grows, as often as there is time. */
import { useEffect, useRef } from 'preact/hooks'
import { renderMarkdown } from './markdown.ts'

interface Props {
  text: string
  /** Called after each rendering, with the element. */
  onRender?: (element: HTMLElement) => void
  isGrowing?: boolean
}

/** Shows a text as Markdown. While it grows, some renderings are skipped. */
export function Markdown({ text, onRender, isGrowing }: Props) {
  const ref = useRef<HTMLDivElement>(null)
  const costMs = useRef(0)
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  const latest = useRef({ text, onRender })
  latest.current = { text, onRender }
  useEffect(() => {
    const render = () => {
      timer.current = undefined
      const startMs = performance.now()
      const element = ref.current
      if (!element) return
      renderMarkdown(element, latest.current.text)
      latest.current.onRender?.(element)
      costMs.current = performance.now() - startMs
    }
    if (!isGrowing) {
      clearTimeout(timer.current)
      return render()
    }
    // A long text takes long to render, so the page then rests four times as long. A running timer is not set again:
    // otherwise a text that grows faster than that would not be rendered before its end.
    timer.current ??= setTimeout(render, Math.min(2_000, costMs.current * 4))
  }, [text, isGrowing])
  useEffect(() => () => clearTimeout(timer.current), [])
  return <div ref={ref} class="md" dir="auto" />
}

/** What a model thought before its text: in full while it has none, then behind a line that opens it. */
export function Thoughts({ text, isOver }: { text: string; isOver: boolean }) {
  if (!isOver) return <p class="thinking soft">{text}</p>
  return (
    <details class="thoughts soft">
      <summary>What it thought first</summary>
      <p class="thinking">{text}</p>
    </details>
  )
}

/** Writes a time: `120 ms`, `3.4 s`. */
export function formatMs(ms: number | undefined): string {
  if (ms === undefined) return ''
  return ms < 950 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`
}

/** Writes a cost in US dollars. */
export function formatCost(dollars: number | undefined): string {
  if (dollars === undefined) return ''
  return dollars >= 0.01 || dollars === 0 ? `$${dollars.toFixed(2)}` : `$${dollars.toPrecision(2)}`
}

/** Writes a number with its noun: `1 token`, `2 tokens`. */
export const count = (n: number, one: string, many = `${one}s`) =>
  `${n.toLocaleString('en')} ${n === 1 ? one : many}`
