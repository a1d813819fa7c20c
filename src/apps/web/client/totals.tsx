/** The line below an answer: what the answer took, and buttons for it. */
import { useState } from 'preact/hooks'
import type { RunView } from './run.ts'
import { count, formatCost, formatMs } from './text.tsx'

interface Props {
  run: RunView
  onFix?: () => void
}

/** Shows completions, tokens, time, cost and seed of a run, with buttons to copy and to fix its answer. */
export function Totals({ run, onFix }: Props) {
  const { usage, ms, seed, answer } = run
  const members = run.layers.flatMap((layer) => layer.members)
  const facts = [
    run.strategy,
    count(members.filter((m) => m.state === 'done').length, 'completion'),
    usage && `${count(usage.inputTokens, 'token')} in, ${usage.outputTokens.toLocaleString('en')} out`,
    ...Object.entries(usage?.cachedTokens ?? {}).map(
      ([role, n]) => `${role}s: ${count(n, 'token')} from a cache`,
    ),
    formatMs(ms),
    formatCost(usage?.cost),
    seed === undefined ? '' : `seed ${seed}`,
  ]
  return (
    <footer class="totals soft">
      <span>{facts.filter(Boolean).join(' · ')}</span>
      <span class="actions">
        {answer && 'clipboard' in navigator && <CopyButton text={answer} />}
        {onFix && (
          <button type="button" class="quiet" onClick={onFix}>
            Fix this answer
          </button>
        )}
      </span>
    </footer>
  )
}

function CopyButton({ text }: { text: string }) {
  const [isCopied, setCopied] = useState(false)
  const copy = async () => {
    await navigator.clipboard.writeText(text)
    setCopied(true)
    setTimeout(() => setCopied(false), 1_500)
  }
  return (
    <button type="button" class="quiet" onClick={copy}>
      {isCopied ? 'Copied' : 'Copy'}
    </button>
  )
}
