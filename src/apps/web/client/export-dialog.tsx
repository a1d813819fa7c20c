/** Saves the conversation as a file that can be sent. */
import { useState } from 'preact/hooks'
import { readExportShell } from './api.ts'
import { type Conversation, toHtml, toJson } from './conversation-file.ts'
import { toMarkdown } from './conversation-markdown.ts'
import { download, fileName } from './download.ts'
import { Modal } from './modal.tsx'
import { Problem } from './text.tsx'

interface Format {
  name: string
  about: string
  ending: string
  type: string
  write: (conversation: Conversation) => Promise<string> | string
}

const formats: Format[] = [
  {
    name: 'Web page',
    about: 'One file with all proposals. It opens without a server, and shows where each sentence came from.',
    ending: 'html',
    type: 'text/html',
    write: async (conversation) => toHtml(await readExportShell(), conversation),
  },
  {
    name: 'Markdown',
    about: 'Questions, answers and proposals as text.',
    ending: 'md',
    type: 'text/markdown',
    write: toMarkdown,
  },
  {
    name: 'JSON',
    about: 'Everything that the page knows, for programs.',
    ending: 'json',
    type: 'application/json',
    write: toJson,
  },
]

/** Shows the formats to choose from. */
export function ExportDialog({ conversation, onClose }: { conversation: Conversation; onClose: () => void }) {
  const [error, setError] = useState('')
  const save = async ({ write, ending, type }: Format) => {
    try {
      download(fileName(conversation.title, ending), await write(conversation), type)
      onClose()
    } catch (problem) {
      setError((problem as Error).message)
    }
  }
  return (
    <Modal title="Export this conversation" onClose={onClose}>
      <ul class="choices">
        {formats.map((format) => (
          <li key={format.ending}>
            <button type="button" class="entry" onClick={() => save(format)}>
              <strong>{format.name}</strong>
              <span class="soft">{format.about}</span>
            </button>
          </li>
        ))}
      </ul>
      <Problem text={error} />
      <p class="soft">
        The file has the system prompt and the names of the models, but no key. Import, in History, opens a
        web page or JSON again.
      </p>
    </Modal>
  )
}
