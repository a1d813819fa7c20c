/** The labeled fields of a form. */

interface SelectProps {
  label: string
  value: string
  /** Value and label of each option; a single text is both. */
  options: (string | [value: string, about: string])[]
  onChange: (value: string) => void
}

/** Shows a choice of one option. */
export function SelectField({ label, value, options, onChange }: SelectProps) {
  return (
    <label>
      {label}
      <select value={value} onChange={(e) => onChange(e.currentTarget.value)}>
        {options.map((option) => {
          const [value, about] = typeof option === 'string' ? [option, option] : option
          return (
            <option key={value} value={value}>
              {about}
            </option>
          )
        })}
      </select>
    </label>
  )
}

interface NumberProps {
  label: string
  /** The text as typed; empty if nothing is set. */
  value: string
  min: number
  max?: number
  step?: number
  placeholder?: string | number
  onChange: (value: string) => void
}

/** Shows a field for a number that may stay empty. */
export function NumberField({ label, onChange, placeholder, ...more }: NumberProps) {
  return (
    <label>
      {label}
      <input
        type="number"
        placeholder={placeholder === undefined ? undefined : String(placeholder)}
        onInput={(e) => onChange(e.currentTarget.value)}
        {...more}
      />
    </label>
  )
}

interface ChecksProps {
  legend: string
  names: string[]
  checked: string[]
  onChange: (checked: string[]) => void
}

/** Shows a choice of any number of names. */
export function ChecksField({ legend, names, checked, onChange }: ChecksProps) {
  const toggle = (name: string, isOn: boolean) =>
    onChange(isOn ? [...checked, name] : checked.filter((other) => other !== name))
  return (
    <fieldset>
      <legend>{legend}</legend>
      {names.map((name) => (
        <label key={name} class="check">
          <input
            type="checkbox"
            checked={checked.includes(name)}
            onChange={(e) => toggle(name, e.currentTarget.checked)}
          />
          {name}
        </label>
      ))}
    </fieldset>
  )
}
