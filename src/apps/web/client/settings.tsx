/** The settings of answers. An empty field means the preset's value. */
import { useState } from 'preact/hooks'
import { defaultSettings, keyOfTab, type Offer, type Settings } from './api.ts'
import { ChecksField, NumberField, SelectField } from './fields.tsx'
import { Modal } from './modal.tsx'

const OWN = 'model default'

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
        <NumberFields settings={settings} offer={offer} set={set} />
        <SelectField
          label="Model that writes the answer"
          value={settings.aggregator}
          options={[['', OWN], ...engines]}
          onChange={(aggregator) => set({ aggregator })}
        />
        <ChecksField
          legend="Models that propose"
          note={`None checked: ${OWN}.`}
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
        <p class="row wide">
          <button type="button" class="primary" onClick={onClose}>
            Done
          </button>
          <button type="button" class="quiet" onClick={() => onChange(defaultSettings)}>
            Back to the defaults
          </button>
        </p>
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
  const of = (name: 'temperature' | 'maxTokens' | 'seed') => ({
    value: settings[name],
    onChange: (value: string) => set({ [name]: value }),
  })
  return (
    <>
      <NumberField
        label="Temperature"
        min={0}
        max={5}
        step={0.1}
        placeholder={defaults?.temperature ?? OWN}
        {...of('temperature')}
      />
      <NumberField
        label="Most tokens per completion"
        min={1}
        max={limits?.maxTokens}
        placeholder={defaults?.maxTokens ?? OWN}
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
