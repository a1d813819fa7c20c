/** The labeled fields of a form. */

interface SelectProps {
  label: string
  value: string
  /** Value and label of each option; a single text is both. */
  options: (string | [value: string, about: string])[]
  onChange: (value: string) => void
}

/** Shows a choice of one option. Its label is not seen. */
export function Select({ label, value, options, onChange }: SelectProps) {
  return (
    <select aria-label={label} value={value} onChange={(e) => onChange(e.currentTarget.value)}>
      {options.map((option) => {
        const [value, about] = typeof option === 'string' ? [option, option] : option
        return (
          <option key={value} value={value}>
            {about}
          </option>
        )
      })}
    </select>
  )
}

/** Shows a choice of one option below its label. */
export const SelectField = (props: SelectProps) => (
  // biome-ignore lint/a11y/noLabelWithoutControl: it is in Select
  <label>
    {props.label}
    <Select {...props} />
  </label>
)

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
  note: string
  names: string[]
  checked: string[]
  onChange: (checked: string[]) => void
}

/** Shows a choice of any number of names. */
export function ChecksField({ legend, note, names, checked, onChange }: ChecksProps) {
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
      <p class="note soft">{note}</p>
    </fieldset>
  )
}
