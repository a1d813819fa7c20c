/** Beside Ask: which model answers, with how many proposals, and what that takes at most. */
import { useEffect, useState } from 'preact/hooks'
import { type Estimate, type Offer, Refused, readEstimate, type Settings, toBody } from './api.ts'
import { Select } from './fields.tsx'
import { messagesFor, type Turn } from './run.ts'
import { count, formatCost } from './text.tsx'

/** What the pickers need, except the question. */
export interface PickersProps {
  settings: Settings
  offer: Offer | undefined
  turns: Turn[]
  onChange: (settings: Settings) => void
  onSettings: () => void
}

const strategies: [value: string, about: string][] = [
  ['', 'strategy'],
  ['aft', 'aft: propose, aggregate'],
  ['moa', 'moa: several models'],
  ['rsa', 'rsa: each sees a sample'],
  ['self-consistency', 'a vote'],
  ['best-of-n', 'a judge picks'],
  ['single', 'one model alone'],
]

/** Shows the pickers. Each change takes effect with the next question. */
export function Pickers({ settings, offer, onChange, onSettings }: PickersProps) {
  const set = (change: Partial<Settings>) => onChange({ ...settings, ...change })
  const { limits, defaults } = offer ?? {}
  return (
    <fieldset class="pickers" aria-label="How to answer">
      <Select
        label="Model"
        value={settings.model}
        options={offer?.models ?? [settings.model || 'aft']}
        onChange={(model) => set({ model })}
      />
      <Select
        label="Strategy"
        value={settings.strategy}
        options={strategies}
        onChange={(strategy) => set({ strategy })}
      />
      <span class="shape">
        {(['width', 'depth'] as const).map((name) => (
          <Shape
            key={name}
            name={name}
            value={settings[name]}
            max={limits?.[name]}
            hint={defaults?.[name]}
            onChange={(value) => set({ [name]: value })}
          />
        ))}
      </span>
      <button type="button" class="quiet" onClick={onSettings}>
        More
      </button>
    </fieldset>
  )
}

interface ShapeProps {
  name: 'width' | 'depth'
  value: string
  max: number | undefined
  hint: number | undefined
  onChange: (value: string) => void
}

function Shape({ name, value, max, hint, onChange }: ShapeProps) {
  const [label, about, min] =
    name === 'width' ? ['Width', 'completions per layer', 1] : ['Depth', 'layers that aggregate', 0]
  return (
    <label>
      <span class="word">{name}</span>
      <input
        type="number"
        aria-label={label}
        title={`${label}: ${about}${hint === undefined ? '' : `; empty: that of the model, usually ${hint}`}`}
        min={min}
        max={max}
        value={value}
        placeholder={hint === undefined ? '' : String(hint)}
        onInput={(e) => onChange(e.currentTarget.value)}
      />
    </label>
  )
}

const QUIET_MS = 400

/** Says what the question would take. The server counts, since it knows the plan and the prices. */
export function EstimateNote({ settings, offer, turns, text }: PickersProps & { text: string }) {
  const isReady = offer !== undefined
  const [estimate, setEstimate] = useState<Estimate>()
  const [problem, setProblem] = useState('')
  useEffect(() => {
    if (!isReady) return
    const call = new AbortController()
    const find = async () => {
      try {
        const body = toBody(messagesFor(turns, text || '?', settings.system), settings)
        setEstimate(await readEstimate(body, call.signal))
        setProblem('')
      } catch (error) {
        if (call.signal.aborted) return
        setEstimate(undefined)
        // Any other error is told when the question is asked.
        setProblem(error instanceof Refused && error.status === 400 ? error.message : '')
      }
    }
    const timer = setTimeout(find, QUIET_MS)
    return () => {
      clearTimeout(timer)
      call.abort()
    }
  }, [settings, turns.length, text, isReady])
  if (problem) return <span class="estimate wrong">{problem}</span>
  if (!estimate) return null
  const { completions, requests, cost } = estimate
  return (
    <span class="estimate">
      {count(completions, 'completion')}
      <span class="word"> in {count(requests, 'request')}</span>
      {cost !== undefined && ` · ${cost === 0 ? 'costs nothing' : `at most ${formatCost(cost)}`}`}
    </span>
  )
}
