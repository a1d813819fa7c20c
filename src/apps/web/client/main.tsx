/** The page: a conversation, its settings, earlier conversations, and journals. */
import { render } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { type Place, useAddress } from './address.ts'
import { type Offer, Refused, readOffer, readSample, type Settings } from './api.ts'
import { ChatTurn } from './chat-turn.tsx'
import { Composer } from './composer.tsx'
import { ExportDialog } from './export-dialog.tsx'
import { useFollow } from './follow.ts'
import { forget, keep, readHistory, useSettings } from './history.ts'
import { HistoryDialog } from './history-dialog.tsx'
import { readPrompts } from './journal.ts'
import { JournalView } from './journal-view.tsx'
import { useKeys } from './keys.ts'
import { QueueDialog } from './queue-dialog.tsx'
import { SettingsDialog } from './settings.tsx'
import { TopBar } from './top-bar.tsx'
import { type Chat, newConversation, useChat } from './use-chat.ts'
import { Welcome } from './welcome.tsx'

/** The dialog that is open. */
type Dialog = 'settings' | 'history' | 'export' | 'queue' | undefined

type ConversationOf = Chat['conversation']

function App() {
  const [settings, change] = useSettings()
  const [history, setHistory] = useState(readHistory)
  const [dialog, setDialog] = useState<Dialog>()
  const [isJournal, setJournal] = useState(false)
  const server = useOffer()
  const chat = useChat(setHistory, () => setDialog('settings'))
  const { conversation } = chat
  const close = () => setDialog(undefined)
  const show = (next: typeof conversation) => {
    if (next.id !== conversation.id) chat.open(next)
    setJournal(false)
    close()
  }
  const onGo = (place: Place) => {
    setJournal(place.view === 'journal')
    if (place.view === 'chat') show(readHistory().find(({ id }) => id === place.id) ?? newConversation())
  }
  const id = conversation.turns.length > 0 ? conversation.id : undefined
  useAddress(isJournal ? { view: 'journal' } : { view: 'chat', id }, onGo)
  useKeys(chat.stop)
  return (
    <>
      <TopBar
        isJournal={isJournal}
        onNew={() => show(newConversation())}
        onHistory={() => setDialog('history')}
        onExport={id === undefined || isJournal ? undefined : () => setDialog('export')}
        onJournals={() => setJournal(!isJournal)}
        onQueue={server.offer?.queue ? () => setDialog('queue') : undefined}
        onSettings={() => setDialog('settings')}
      />
      <main class={isJournal ? 'wide' : ''}>
        {isJournal ? (
          <JournalView
            hasRatings={server.offer?.ratings ?? false}
            hasRuns={(server.offer?.runs ?? 0) > 0}
            onClose={() => setJournal(false)}
          />
        ) : (
          <Conversation
            chat={chat}
            settings={settings}
            onChange={change}
            server={server}
            onSettings={() => setDialog('settings')}
          />
        )}
      </main>
      <Dialogs
        open={dialog}
        onClose={close}
        {...{ settings, onChange: change, server, conversation, history, setHistory, onShow: show }}
      />
    </>
  )
}

interface DialogsProps extends Pick<ConversationProps, 'settings' | 'onChange' | 'server'> {
  open: Dialog
  onClose: () => void
  conversation: ConversationOf
  history: ConversationOf[]
  setHistory: (all: ConversationOf[]) => void
  onShow: (conversation: ConversationOf) => void
}

function Dialogs({ open, onClose, server, setHistory, onShow, ...of }: DialogsProps) {
  return (
    <>
      {open === 'settings' && (
        <SettingsDialog
          settings={of.settings}
          offer={server.offer}
          onChange={of.onChange}
          onKey={server.learn}
          onClose={onClose}
        />
      )}
      {open === 'queue' && <QueueDialog onClose={onClose} />}
      {open === 'export' && <ExportDialog conversation={of.conversation} onClose={onClose} />}
      {open === 'history' && (
        <HistoryDialog
          conversations={of.history}
          onOpen={onShow}
          onForget={(id) => setHistory(forget(id))}
          onImport={(imported) => {
            setHistory(keep(imported))
            onShow(imported)
          }}
          onClose={onClose}
        />
      )}
    </>
  )
}

/** What the server offers, and why it is not known. */
interface Server {
  offer?: Offer
  problem?: { text: string; isKey: boolean }
  learn: () => void
}

function useOffer(): Server {
  const [offer, setOffer] = useState<Offer>()
  const [problem, setProblem] = useState<Server['problem']>()
  const learn = async () => {
    try {
      setOffer(await readOffer())
      setProblem(undefined)
    } catch (error) {
      setProblem({ text: (error as Error).message, isKey: error instanceof Refused && error.status === 401 })
    }
  }
  useEffect(() => void learn(), [])
  return { offer, problem, learn: () => void learn() }
}

interface ConversationProps {
  chat: Chat
  settings: Settings
  onChange: (settings: Settings) => void
  server: Server
  onSettings: () => void
}

function Conversation({ chat, settings, onChange, server, onSettings }: ConversationProps) {
  const [text, setText] = useState('')
  const { turns } = chat.conversation
  const { isBehind, catchUp } = useFollow(turns.length, chat.isRunning)
  return (
    <>
      {turns.length > 0 && <h1 class="unseen">{chat.conversation.title}</h1>}
      <ServerNote server={server} onKey={onSettings} />
      {turns.length === 0 && (
        <Welcome
          onAsk={(question) => chat.ask(question, settings)}
          onExample={() => void playExample(chat)}
        />
      )}
      {turns.map((turn, i) => (
        <ChatTurn
          key={turn.id}
          turn={turn}
          hasFixes={server.offer?.fixes ?? false}
          hasRatings={server.offer?.ratings ?? false}
          isLast={i === turns.length - 1}
          isBusy={chat.isRunning}
          note={i === 0 && !turn.about ? chat.conversation.about : undefined}
          actions={{
            onRetry: () => chat.retry(turn, settings),
            onEdit: (question) => chat.edit(turn, question, settings),
            onResume: () => chat.resume(settings),
            onShow: (at) => chat.show(turn, at),
          }}
        />
      ))}
      <Composer
        above={
          isBehind && (
            <button type="button" class="catch-up" onClick={catchUp}>
              ↓ To the end of the answer
            </button>
          )
        }
        text={text}
        onText={setText}
        isRunning={chat.isRunning}
        onAsk={(files) => {
          setText('')
          chat.ask(text, settings, files)
        }}
        onStop={chat.stop}
        pickers={{ settings, offer: server.offer, turns, onChange, onSettings }}
      />
    </>
  )
}

/** Plays the first prompt of the journal that comes with the page. */
async function playExample(chat: Chat): Promise<void> {
  const { header, prompts } = readPrompts('demo.jsonl', await readSample('demo.jsonl'))
  const [first] = prompts.values()
  if (header && first) chat.play(first, header)
}

/** Says why the server's models are not known, with a button that helps. */
function ServerNote({ server: { problem, learn }, onKey }: { server: Server; onKey: () => void }) {
  if (!problem) return null
  return (
    <p class="banner failed row" role="alert">
      <span>{problem.isKey ? 'This server answers only with an API key.' : problem.text}</span>
      <button type="button" onClick={problem.isKey ? onKey : learn}>
        {problem.isKey ? 'Enter a key' : 'Try again'}
      </button>
    </p>
  )
}

render(<App />, document.getElementById('app') as HTMLElement)
