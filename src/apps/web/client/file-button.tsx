/** A button that lets the reader choose a file. */

interface Props {
  label: string
  accept: string
  onFiles: (files: FileList | null) => void
  class?: string
  multiple?: boolean
}

/** Shows the button. The same file can be chosen again. */
export function FileButton({ label, accept, onFiles, class: kind = '', multiple = false }: Props) {
  return (
    <label class={`button ${kind}`}>
      {label}
      <input
        type="file"
        accept={accept}
        multiple={multiple}
        onChange={(e) => {
          onFiles(e.currentTarget.files)
          e.currentTarget.value = ''
        }}
      />
    </label>
  )
}
