/** The script of an exported page: shows the conversation that is in the page. It asks no server for anything. */
import { render } from 'preact'
import { type Conversation, readConversation } from './conversation-file.ts'
import { formatTime } from './text.tsx'
import { TurnView } from './turn.tsx'

function Exported({ conversation }: { conversation: Omit<Conversation, 'id'> }) {
  const { title, time, about, turns } = conversation
  return (
    <main class="exported">
      <header class="exported-head">
        <h1 dir="auto">{title}</h1>
        <p class="soft">
          {formatTime(time)} · Several drafts were written for each question, then one answer from them. Point
          at a sentence of an answer to see where it came from.
        </p>
        {about && <p class="banner">{about}</p>}
      </header>
      {turns.map((turn) => (
        <TurnView key={turn.id} turn={turn} hasFixes={false} />
      ))}
      <footer class="soft exported-foot">
        Written by aft. This file loads nothing from elsewhere; the button Import of the page of{' '}
        <code>aft serve</code> opens it.
      </footer>
    </main>
  )
}

function start() {
  const app = document.getElementById('app') as HTMLElement
  const data = document.getElementById('aft-conversation')?.textContent ?? ''
  try {
    const conversation = readConversation('This file', data)
    document.title = conversation.title
    render(<Exported conversation={conversation} />, app)
  } catch (error) {
    app.textContent = (error as Error).message
  }
}

start()
