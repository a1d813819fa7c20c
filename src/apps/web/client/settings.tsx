/** The settings of answers. An empty field means the preset's value. */
import { useState } from 'preact/hooks'
import { defaultSettings, keyOfTab, type Offer, type Settings } from './api.ts'
import { ChecksField, NumberField, SelectField } from './fields.tsx'
import { Modal } from './modal.tsx'

const PRESETS_OWN = "the preset's"

const strategies: [value: string, about: string][] = [
  ['', PRESETS_OWN],
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
  /** Called when a key was entered. */
  onKey: () => void
  onClose: () => void
}

/** Shows all settings. Each change takes effect at once. */
export function SettingsDialog({ settings, offer, onChange, onKey, onClose }: Props) {
  const set = (change: Partial<Settings>) => onChange({ ...settings, ...change })
  const engines = offer?.engines ?? []
  return (
    <Modal title="Settings" onClose={onClose}>
      <form class="settings" onSubmit={(event) => event.preventDefault()}>
        <SelectField
          label="Preset"
          value={settings.model}
          options={offer?.models ?? ['aft']}
          onChange={(model) => set({ model })}
        />
        <SelectField
          label="Strategy"
          value={settings.strategy}
          options={strategies}
          onChange={(strategy) => set({ strategy })}
        />
        <NumberFields settings={settings} offer={offer} set={set} />
        <SelectField
          label="Aggregator"
          value={settings.aggregator}
          options={[['', PRESETS_OWN], ...engines]}
          onChange={(aggregator) => set({ aggregator })}
        />
        <ChecksField
          legend="Proposers (none: the preset's)"
          names={engines}
          checked={settings.proposers}
          onChange={(proposers) => set({ proposers })}
        />
        <label class="wide">
          System prompt
          <textarea
            rows={3}
            value={settings.system}
            onInput={(e) => set({ system: e.currentTarget.value })}
          />
        </label>
        <KeyField onKey={onKey} />
        <button type="button" class="quiet" onClick={() => onChange(defaultSettings)}>
          Back to the defaults
        </button>
      </form>
    </Modal>
  )
}

interface NumbersProps {
  settings: Settings
  offer: Offer | undefined
  set: (change: Partial<Settings>) => void
}

function NumberFields({ settings, offer, set }: NumbersProps) {
  const { limits, defaults } = offer ?? {}
  const of = (name: 'width' | 'depth' | 'temperature' | 'maxTokens' | 'seed') => ({
    value: settings[name],
    onChange: (value: string) => set({ [name]: value }),
  })
  return (
    <>
      <NumberField
        label="Width (completions per layer)"
        min={1}
        max={limits?.width}
        placeholder={defaults?.width}
        {...of('width')}
      />
      <NumberField
        label="Depth (layers after the first)"
        min={0}
        max={limits?.depth}
        placeholder={defaults?.depth}
        {...of('depth')}
      />
      <NumberField
        label="Temperature"
        min={0}
        max={5}
        step={0.1}
        placeholder={defaults?.temperature}
        {...of('temperature')}
      />
      <NumberField
        label="Most tokens per completion"
        min={1}
        max={limits?.maxTokens}
        placeholder={defaults?.maxTokens}
        {...of('maxTokens')}
      />
      <NumberField label="Seed" min={0} placeholder="random" {...of('seed')} />
    </>
  )
}

function KeyField({ onKey }: { onKey: () => void }) {
  const [key, setKey] = useState(keyOfTab.get())
  return (
    <label class="wide">
      API key, if the server asks for one (kept in this tab only)
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
  )
}
