/** Earlier conversations of this browser: to search, open, delete, and to add one from a file. */
import { useState } from 'preact/hooks'
import { type Conversation, readConversation } from './conversation-file.ts'
import { FileButton } from './file-button.tsx'
import { newId } from './ids.ts'
import { Modal } from './modal.tsx'
import { count, formatTime, Problem } from './text.tsx'

interface Props {
  conversations: Conversation[]
  onOpen: (conversation: Conversation) => void
  onForget: (id?: string) => void
  onImport: (conversation: Conversation) => void
  onClose: () => void
}

/** Lists conversations to open or delete. */
export function HistoryDialog({ conversations, onOpen, onForget, onImport, onClose }: Props) {
  const [search, setSearch] = useState('')
  const [error, setError] = useState('')
  const importFile = async (files: FileList | null) => {
    const file = files?.[0]
    if (!file) return
    try {
      onImport(importConversation(file.name, await file.text()))
    } catch (problem) {
      setError((problem as Error).message)
    }
  }
  const found = conversations.filter((conversation) => has(conversation, search))
  return (
    <Modal title="History" onClose={onClose}>
      {conversations.length > 0 && (
        <input
          type="search"
          placeholder="Search questions and answers"
          aria-label="Search history"
          value={search}
          onInput={(e) => setSearch(e.currentTarget.value)}
        />
      )}
      {conversations.length === 0 && (
        <p class="soft">Nothing yet. Conversations are kept in this browser only.</p>
      )}
      {conversations.length > 0 && found.length === 0 && <p class="soft">No conversation has this text.</p>}
      <Entries conversations={found} onOpen={onOpen} onForget={onForget} />
      <Problem text={error} />
      <p class="row">
        <FileButton label="Import a file" accept=".html,.json" onFiles={importFile} />
        {conversations.length > 0 && (
          <DeleteButton what={`all ${conversations.length}`} onSure={() => onForget()} />
        )}
      </p>
    </Modal>
  )
}

/** Reads a conversation from a file, under ids of its own. @throws Error that names the file */
function importConversation(name: string, content: string): Conversation {
  const conversation = readConversation(name, content)
  const turns = conversation.turns.map((turn) => ({ ...turn, id: newId() }))
  return { ...conversation, id: newId(), turns }
}

type EntriesProps = Pick<Props, 'conversations' | 'onOpen' | 'onForget'>

function Entries({ conversations, onOpen, onForget }: EntriesProps) {
  return (
    <ul class="history">
      {conversations.map((conversation) => (
        <li key={conversation.id}>
          <button type="button" class="entry" onClick={() => onOpen(conversation)}>
            <span dir="auto">{conversation.title}</span>
            <span class="soft">
              {formatTime(conversation.time)} · {count(conversation.turns.length, 'turn')}
            </span>
          </button>
          <DeleteButton title={conversation.title} onSure={() => onForget(conversation.id)} />
        </li>
      ))}
    </ul>
  )
}

/** Deletes at the second press. */
function DeleteButton({ what = '', title, onSure }: { what?: string; title?: string; onSure: () => void }) {
  const [isSure, setSure] = useState(false)
  const shown = `${isSure ? 'Really delete' : 'Delete'} ${what}`.trim()
  return (
    <button
      type="button"
      class="quiet"
      aria-label={title && `${shown}: ${title}`}
      onClick={() => (isSure ? onSure() : setSure(true))}
      onBlur={() => setSure(false)}
    >
      {shown}
    </button>
  )
}

function has({ title, turns }: Conversation, search: string): boolean {
  const wanted = search.trim().toLowerCase()
  const texts = [title, ...turns.flatMap(({ question, run }) => [question, run.answer ?? ''])]
  return wanted === '' || texts.some((text) => text.toLowerCase().includes(wanted))
}
