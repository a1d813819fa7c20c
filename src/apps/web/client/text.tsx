/** Renders text that grows, as often as there is time. */
import { useEffect, useRef } from 'preact/hooks'
import { colorCode } from './code-blocks.ts'
import { renderMarkdown } from './markdown.ts'
import { dropWork, whenThereIsTime } from './turns.ts'

interface Props {
  text: string
  /** Called after each rendering, with the element. */
  onRender?: (element: HTMLElement) => void
  isGrowing?: boolean
}

/** Shows a text as Markdown. While it grows, some renderings are skipped. */
export function Markdown({ text, onRender, isGrowing = false }: Props) {
  const ref = useRef<HTMLDivElement>(null)
  const latest = useRef({ text, onRender })
  latest.current = { text, onRender }
  useEffect(() => {
    const render = () => {
      const element = ref.current
      if (!element) return
      renderMarkdown(element, latest.current.text, isGrowing)
      if (!isGrowing) colorCode(element)
      latest.current.onRender?.(element)
    }
    if (isGrowing) return whenThereIsTime(ref, render)
    dropWork(ref)
    render()
  }, [text, isGrowing])
  useEffect(() => () => dropWork(ref), [])
  return <div ref={ref} class="md" dir="auto" />
}

/** What a model thought before its text: in full while it has none, then behind a line that opens it. */
export function Thoughts({ text, isOver, ms }: { text: string; isOver: boolean; ms?: number }) {
  if (!isOver) return <p class="thinking soft">{text}</p>
  return (
    <details class="thoughts soft">
      <summary>Thought {ms === undefined || ms < 950 ? 'first' : `for ${formatMs(ms)}`}</summary>
      <p class="thinking">{text}</p>
    </details>
  )
}

/** Says what went wrong, if something did. */
export const Problem = ({ text }: { text: string }) =>
  text ? (
    <p class="error" role="alert">
      {text}
    </p>
  ) : null

/** Writes a time: `120 ms`, `3.4 s`; nothing if it took none. */
export function formatMs(ms: number | undefined): string {
  if (ms === undefined || ms < 0.5) return ''
  return ms < 950 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`
}

/** Writes a date with the time of day, as the reader's language does. */
export const formatTime = (ms: number) =>
  new Date(ms).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' })

/** Writes a cost in US dollars. */
export function formatCost(dollars: number | undefined): string {
  if (dollars === undefined) return ''
  return dollars >= 0.01 || dollars === 0 ? `$${dollars.toFixed(2)}` : `$${dollars.toPrecision(2)}`
}

/** Writes a number with its noun: `1 token`, `2 tokens`. */
export const count = (n: number, one: string, many = `${one}s`) =>
  `${n.toLocaleString('en')} ${n === 1 ? one : many}`
