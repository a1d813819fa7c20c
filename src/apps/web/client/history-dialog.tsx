/** Earlier conversations of this browser. */
import type { Conversation } from './history.ts'
import { Modal } from './modal.tsx'
import { count } from './text.tsx'

interface Props {
  conversations: Conversation[]
  onOpen: (conversation: Conversation) => void
  onForget: (id?: string) => void
  onClose: () => void
}

/** Lists conversations to open or delete. */
export function HistoryDialog({ conversations, onOpen, onForget, onClose }: Props) {
  return (
    <Modal title="History" onClose={onClose}>
      {conversations.length === 0 ? (
        <p class="soft">Nothing yet. Conversations are kept in this browser only.</p>
      ) : (
        <>
          <ul class="history">
            {conversations.map((conversation) => (
              <li key={conversation.id}>
                <button type="button" class="entry" onClick={() => onOpen(conversation)}>
                  <span dir="auto">{conversation.title}</span>
                  <span class="soft">
                    {new Date(conversation.time).toLocaleString()} ·{' '}
                    {count(conversation.turns.length, 'turn')}
                  </span>
                </button>
                <button
                  type="button"
                  class="quiet"
                  aria-label={`Delete: ${conversation.title}`}
                  onClick={() => onForget(conversation.id)}
                >
                  ✕
                </button>
              </li>
            ))}
          </ul>
          <button type="button" class="quiet" onClick={() => onForget()}>
            Delete all
          </button>
        </>
      )}
    </Modal>
  )
}
