/** How questions are answered. What is left empty is the preset's. */
import { useState } from 'preact/hooks'
import { defaultSettings, keyOfTab, type Offer, type Settings } from './api.ts'
import { Modal } from './modal.tsx'

const strategies: [value: string, about: string][] = [
  ['', "the preset's"],
  ['aft', 'aft: propose, aggregate'],
  ['moa', 'moa: a mixture of agents'],
  ['rsa', 'rsa: each sees a sample'],
  ['self-consistency', 'self-consistency: a vote'],
  ['best-of-n', 'best-of-n: a judge picks'],
  ['single', 'single: the bare engine'],
]

interface Props {
  settings: Settings
  offer: Offer | undefined
  onChange: (settings: Settings) => void
  onKey: () => void
  onClose: () => void
}

export function SettingsDialog({ settings, offer, onChange, onKey, onClose }: Props) {
  const [key, setKey] = useState(keyOfTab.get())
  const set = (change: Partial<Settings>) => onChange({ ...settings, ...change })
  const number = (
    name: 'width' | 'depth' | 'temperature' | 'maxTokens' | 'seed',
    label: string,
    more: object,
  ) => (
    <label>
      {label}
      <input
        type="number"
        value={settings[name]}
        onInput={(e) => set({ [name]: e.currentTarget.value })}
        {...more}
      />
    </label>
  )
  const { limits, defaults, engines = [] } = offer ?? {}
  const toggle = (engine: string, isOn: boolean) =>
    set({
      proposers: isOn
        ? [...settings.proposers, engine]
        : settings.proposers.filter((name) => name !== engine),
    })
  return (
    <Modal title="Settings" onClose={onClose}>
      <form class="settings" onSubmit={(event) => event.preventDefault()}>
        <label>
          Preset
          <select value={settings.model} onChange={(e) => set({ model: e.currentTarget.value })}>
            {(offer?.models ?? ['aft']).map((model) => (
              <option key={model}>{model}</option>
            ))}
          </select>
        </label>
        <label>
          Strategy
          <select value={settings.strategy} onChange={(e) => set({ strategy: e.currentTarget.value })}>
            {strategies.map(([value, about]) => (
              <option key={value} value={value}>
                {about}
              </option>
            ))}
          </select>
        </label>
        {number('width', 'Width (completions a layer)', {
          min: 1,
          max: limits?.width,
          placeholder: defaults?.width,
        })}
        {number('depth', 'Depth (layers after the first)', {
          min: 0,
          max: limits?.depth,
          placeholder: defaults?.depth,
        })}
        {number('temperature', 'Temperature', { min: 0, max: 5, step: 0.1, placeholder: '0.7' })}
        {number('maxTokens', 'Tokens a completion, at most', {
          min: 1,
          max: limits?.maxTokens,
          placeholder: '1024',
        })}
        {number('seed', 'Seed', { min: 0, placeholder: 'random' })}
        <label>
          Aggregator
          <select value={settings.aggregator} onChange={(e) => set({ aggregator: e.currentTarget.value })}>
            <option value="">the preset's</option>
            {engines.map((engine) => (
              <option key={engine}>{engine}</option>
            ))}
          </select>
        </label>
        <fieldset>
          <legend>Proposers (none: the preset's)</legend>
          {engines.map((engine) => (
            <label key={engine} class="check">
              <input
                type="checkbox"
                checked={settings.proposers.includes(engine)}
                onChange={(e) => toggle(engine, e.currentTarget.checked)}
              />
              {engine}
            </label>
          ))}
        </fieldset>
        <label class="wide">
          System prompt
          <textarea
            rows={3}
            value={settings.system}
            onInput={(e) => set({ system: e.currentTarget.value })}
          />
        </label>
        <label class="wide">
          API key, where the server asks for one (kept in this tab only)
          <input
            type="password"
            autocomplete="off"
            value={key}
            onInput={(e) => {
              setKey(e.currentTarget.value)
              keyOfTab.set(e.currentTarget.value.trim())
            }}
            onChange={onKey}
          />
        </label>
        <button type="button" class="quiet" onClick={() => onChange(defaultSettings)}>
          Back to the defaults
        </button>
      </form>
    </Modal>
  )
}
