/** The images and files of a question. */
import type { Attachment } from './attachments.ts'

interface Props {
  files: Attachment[]
  onRemove?: (file: Attachment) => void
}

/** Shows images small and files by name. */
export function AttachmentList({ files, onRemove }: Props) {
  if (files.length === 0) return null
  return (
    <ul class="attachments" aria-label="Attached">
      {files.map((file, i) => (
        <li key={`${i} ${file.name}`}>
          {file.kind === 'image' ? <img src={file.data} alt={file.name} /> : <span>{file.name}</span>}
          {onRemove && (
            <button
              type="button"
              class="quiet"
              aria-label={`Remove ${file.name}`}
              onClick={() => onRemove(file)}
            >
              ✕
            </button>
          )}
        </li>
      ))}
    </ul>
  )
}
