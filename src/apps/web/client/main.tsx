/** The page: a conversation, its settings, earlier conversations, and journals. */
import { render } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { type Offer, readOffer, type Settings } from './api.ts'
import { Composer } from './composer.tsx'
import { forget, keepSettings, readHistory, readSettings } from './history.ts'
import { HistoryDialog } from './history-dialog.tsx'
import { JournalView } from './journal-view.tsx'
import { SettingsDialog } from './settings.tsx'
import { TurnView } from './turn.tsx'
import { type Chat, newConversation, useChat } from './use-chat.ts'
import { Welcome } from './welcome.tsx'

type Open = 'settings' | 'history' | 'journal' | undefined

function App() {
  const [offer, setOffer] = useState<Offer>()
  const { settings, change } = useSettings()
  const [history, setHistory] = useState(readHistory)
  const [open, setOpen] = useState<Open>()
  const [text, setText] = useState('')
  const chat = useChat(setHistory, () => setOpen('settings'))
  const learn = () => void readOffer().then(setOffer, () => {})
  useEffect(learn, [])
  useFollow(chat.conversation.turns.length)
  const close = () => setOpen(undefined)
  const start = () => {
    chat.open(newConversation())
    close()
  }
  return (
    <>
      <TopBar open={open} onOpen={setOpen} onNew={start} />
      <main class={open === 'journal' ? 'wide' : ''}>
        {open === 'journal' ? (
          <JournalView onClose={close} />
        ) : (
          <Conversation
            chat={chat}
            text={text}
            onText={setText}
            settings={settings}
            offer={offer}
            onSettings={() => setOpen('settings')}
          />
        )}
      </main>
      {open === 'settings' && (
        <SettingsDialog settings={settings} offer={offer} onChange={change} onKey={learn} onClose={close} />
      )}
      {open === 'history' && (
        <HistoryDialog
          conversations={history}
          onOpen={(conversation) => [chat.open(conversation), close()]}
          onForget={(id) => setHistory(forget(id))}
          onClose={close}
        />
      )}
    </>
  )
}

interface BarProps {
  open: Open
  onOpen: (open: Open) => void
  onNew: () => void
}

function TopBar({ open, onOpen, onNew }: BarProps) {
  const buttons: [name: string, onClick: () => void][] = [
    ['New', onNew],
    ['History', () => onOpen('history')],
    ['Journals', () => onOpen(open === 'journal' ? undefined : 'journal')],
    ['Settings', () => onOpen('settings')],
  ]
  return (
    <header class="top">
      <a class="brand" href="./" aria-label="aft, start page">
        <img src="page/icon.svg" alt="" width="24" height="24" />
        aft
      </a>
      <nav aria-label="Page">
        {buttons.map(([name, onClick]) => (
          <button key={name} type="button" class="quiet" onClick={onClick}>
            {name}
          </button>
        ))}
      </nav>
    </header>
  )
}

interface ConversationProps {
  chat: Chat
  text: string
  onText: (text: string) => void
  settings: Settings
  offer: Offer | undefined
  onSettings: () => void
}

function Conversation({ chat, text, onText, settings, offer, onSettings }: ConversationProps) {
  const { turns } = chat.conversation
  const ask = (question: string) => {
    onText('')
    void chat.ask(question, settings)
  }
  return (
    <>
      {turns.length === 0 && <Welcome onAsk={ask} />}
      {turns.map((turn) => (
        <TurnView key={turn.id} turn={turn} hasFixes={offer?.fixes ?? false} />
      ))}
      <Composer
        text={text}
        onText={onText}
        isRunning={chat.isRunning}
        onAsk={() => ask(text)}
        onStop={chat.stop}
        about={aboutOf(settings, offer)}
        onSettings={onSettings}
      />
    </>
  )
}

/** Keeps the settings in this browser. */
function useSettings() {
  const [settings, setSettings] = useState(readSettings)
  const change = (settings: Settings) => {
    setSettings(settings)
    keepSettings(settings)
  }
  return { settings, change }
}

/** Scrolls to a new question. While it is answered, the page does not scroll. */
function useFollow(turns: number) {
  const before = useRef(turns)
  useEffect(() => {
    if (turns > before.current) {
      document.querySelector('.turn:last-of-type')?.scrollIntoView({ block: 'start', behavior: 'smooth' })
    }
    before.current = turns
  }, [turns])
}

function aboutOf({ model, strategy, width, depth }: Settings, offer: Offer | undefined): string {
  const isPlain = model === 'aft' && !strategy && !width && !depth
  const shape = [width && `width ${width}`, depth && `depth ${depth}`]
  if (isPlain && offer) return `aft · ${offer.defaults.width} × ${offer.defaults.depth}`
  return [model, strategy, ...shape].filter(Boolean).join(' · ')
}

render(<App />, document.getElementById('app') as HTMLElement)
