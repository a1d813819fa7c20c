/** Two runs of one question: side by side, with what they took and how their answers differ. */
import { useEffect, useMemo, useRef } from 'preact/hooks'
import { AnswerDiff } from './answer-diff.tsx'
import { answerOf, type RunView, type Turn } from './run.ts'
import { formatCost, formatMs } from './text.tsx'
import { TurnView } from './turn.tsx'

interface Props {
  first: Turn
  second: Turn
  names: [string, string]
  onClose: () => void
}

/** Shows both runs, their totals and the difference of their answers. */
export function Comparison({ first, second, names, onClose }: Props) {
  const ref = useRef<HTMLElement>(null)
  // Its button stands below it: without a scroll a reader would see the end of the second run.
  useEffect(() => ref.current?.scrollIntoView({ block: 'start', behavior: 'instant' }), [])
  return (
    <section ref={ref} class="comparison" aria-label="Two runs side by side">
      <p class="comparison-bar">
        <strong>Two runs side by side</strong>
        <button type="button" onClick={onClose}>
          Close
        </button>
      </p>
      <TotalsTable runs={[[first.run], [second.run]]} names={names} />
      {first.run.answer !== undefined && second.run.answer !== undefined && (
        <AnswerDiff before={first.run.answer} after={second.run.answer} names={names} />
      )}
      <div class="runs two">
        {[first, second].map((turn, i) => (
          <TurnView key={names[i]} turn={turn} hasFixes={false} heading={names[i]} />
        ))}
      </div>
    </section>
  )
}

interface Figure {
  name: string
  of: (run: RunView) => number | undefined
  write: (value: number) => string
}

const whole = (value: number) => Math.round(value).toLocaleString('en')

const figures: Figure[] = [
  { name: 'completions', of: (run) => members(run).filter((m) => m.state === 'done').length, write: whole },
  { name: 'failed', of: (run) => members(run).filter((m) => m.state === 'failed').length, write: whole },
  { name: 'tokens in', of: (run) => run.usage?.inputTokens, write: whole },
  { name: 'tokens out', of: (run) => run.usage?.outputTokens, write: whole },
  { name: 'time', of: (run) => run.ms, write: (ms) => formatMs(ms) },
  { name: 'cost', of: (run) => run.usage?.cost, write: (dollars) => formatCost(dollars) },
  { name: 'words of the answer', of: (run) => run.answer?.split(/\s+/).filter(Boolean).length, write: whole },
]

const members = (run: RunView) => run.layers.flatMap((layer) => layer.members)

/** Shows sums over the runs of two sides, and the models that wrote the answers. */
export function TotalsTable({ runs, names }: { runs: [RunView[], RunView[]]; names: [string, string] }) {
  const rows = useMemo(
    () => figures.map((figure) => ({ ...figure, sums: runs.map((side) => sum(side, figure)) })),
    [runs[0].length, runs[1].length, ...runs.map(([first]) => first)],
  )
  return (
    <section class="scroll" tabIndex={-1} aria-label="Totals">
      <table class="totals-table">
        <thead>
          <tr>
            <td />
            {names.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
            <th scope="col">difference</th>
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">answered by</th>
            {runs.map((side, i) => (
              <td key={names[i]}>{writersOf(side)}</td>
            ))}
            <td />
          </tr>
          {rows
            .filter(({ sums }) => sums.some((value) => value !== undefined))
            .map(({ name, sums: [a, b], write }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                {[a, b].map((value, i) => (
                  <td key={names[i]}>{value === undefined ? '–' : write(value) || '–'}</td>
                ))}
                <td>{a === undefined || b === undefined ? '' : percent(a, b)}</td>
              </tr>
            ))}
        </tbody>
      </table>
    </section>
  )
}

/** Undefined if one run lacks the figure: a sum without it would be too small. */
function sum(side: RunView[], { of }: Figure): number | undefined {
  const values = side.map(of)
  if (values.length === 0 || values.some((value) => value === undefined)) return undefined
  return (values as number[]).reduce((a, b) => a + b, 0)
}

function percent(a: number, b: number): string {
  if (a === b) return 'equal'
  if (a === 0) return ''
  const change = Math.round((b / a - 1) * 100)
  return `${change > 0 ? '+' : '−'}${Math.abs(change)} %`
}

function writersOf(side: RunView[]): string {
  const names = side.map((run) => {
    const from = run.from && run.layers[run.from.layer]?.members.find((m) => m.index === run.from?.index)
    return (from ?? answerOf(run))?.engine
  })
  return [...new Set(names.filter(Boolean))].slice(0, 4).join(', ') || '–'
}
