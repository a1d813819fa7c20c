/** The page: a conversation, its settings, earlier ones, and journals. */
import { render } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { type Offer, readOffer, type Settings } from './api.ts'
import { Composer } from './composer.tsx'
import { forget, keepSettings, readHistory, readSettings } from './history.ts'
import { HistoryDialog } from './history-dialog.tsx'
import { JournalView } from './journal-view.tsx'
import { SettingsDialog } from './settings.tsx'
import { TurnView } from './turn.tsx'
import { newConversation, useChat } from './use-chat.ts'

type Open = 'settings' | 'history' | 'journal' | undefined

function App() {
  const [offer, setOffer] = useState<Offer>()
  const [settings, setSettings] = useState(readSettings)
  const [history, setHistory] = useState(readHistory)
  const [open, setOpen] = useState<Open>()
  const [text, setText] = useState('')
  const chat = useChat(setHistory, () => setOpen('settings'))
  const learn = () => void readOffer().then(setOffer, () => {})
  useEffect(learn, [])
  const { turns } = chat.conversation
  useFollow(turns.length)
  const change = (settings: Settings) => {
    setSettings(settings)
    keepSettings(settings)
  }
  const ask = (question: string) => {
    setText('')
    void chat.ask(question, settings)
  }
  return (
    <>
      <header class="top">
        <a class="brand" href="/" aria-label="aft, start page">
          <img src="/page/icon.svg" alt="" width="24" height="24" />
          aft
        </a>
        <nav aria-label="Page">
          <button
            type="button"
            class="quiet"
            onClick={() => [chat.open(newConversation()), setOpen(undefined)]}
          >
            New
          </button>
          <button type="button" class="quiet" onClick={() => setOpen('history')}>
            History
          </button>
          <button
            type="button"
            class="quiet"
            onClick={() => setOpen(open === 'journal' ? undefined : 'journal')}
          >
            Journals
          </button>
          <button type="button" class="quiet" onClick={() => setOpen('settings')}>
            Settings
          </button>
        </nav>
      </header>
      <main class={open === 'journal' ? 'wide' : ''}>
        {open === 'journal' ? (
          <JournalView onClose={() => setOpen(undefined)} />
        ) : (
          <>
            {turns.length === 0 && <Welcome onAsk={ask} />}
            {turns.map((turn) => (
              <TurnView key={turn.id} turn={turn} hasFixes={offer?.fixes ?? false} />
            ))}
            <Composer
              text={text}
              onText={setText}
              isRunning={chat.isRunning}
              onAsk={() => ask(text)}
              onStop={chat.stop}
              about={aboutOf(settings, offer)}
              onSettings={() => setOpen('settings')}
            />
          </>
        )}
      </main>
      {open === 'settings' && (
        <SettingsDialog
          settings={settings}
          offer={offer}
          onChange={change}
          onKey={learn}
          onClose={() => setOpen(undefined)}
        />
      )}
      {open === 'history' && (
        <HistoryDialog
          conversations={history}
          onOpen={(conversation) => [chat.open(conversation), setOpen(undefined)]}
          onForget={(id) => setHistory(forget(id))}
          onClose={() => setOpen(undefined)}
        />
      )}
    </>
  )
}

/** A new question comes into view; while it is answered, the page stays where its reader has it. */
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

const samples = [
  'Why is the sky blue?',
  'Plan a day in Lisbon for two people who like tiles.',
  'What is 17 × 24, step by step?',
]

function Welcome({ onAsk }: { onAsk: (question: string) => void }) {
  return (
    <section class="welcome">
      <svg viewBox="0 0 220 92" aria-hidden="true" class="picture">
        <g class="lines">
          {[14, 46, 78].flatMap((from) =>
            [14, 46, 78].map((to) => <path key={`${from} ${to}`} d={`M20 ${from}L110 ${to}`} />),
          )}
          {[14, 46, 78].map((from) => (
            <path key={from} d={`M110 ${from}L196 46`} />
          ))}
        </g>
        {[14, 46, 78].map((y, i) => (
          <g key={y}>
            <circle cx="20" cy={y} r="8" class={`hue-${i}`} />
            <circle cx="110" cy={y} r="8" class={`hue-${i}`} />
          </g>
        ))}
        <circle cx="196" cy="46" r="12" class="end" />
      </svg>
      <h1>Several drafts, one better answer</h1>
      <p class="soft">
        Models propose side by side, then one of them writes the answer from what came back. Point at a
        sentence of it to see where it came from.
      </p>
      <ul class="samples">
        {samples.map((sample) => (
          <li key={sample}>
            <button type="button" onClick={() => onAsk(sample)}>
              {sample}
            </button>
          </li>
        ))}
      </ul>
    </section>
  )
}

render(<App />, document.getElementById('app') as HTMLElement)
