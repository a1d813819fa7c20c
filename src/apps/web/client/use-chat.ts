/** Runs a conversation: asks, takes the events, and renders them a few times per second. */
import { useEffect, useRef, useState } from 'preact/hooks'
import type { AftEvent } from '../../../core/result.ts'
import type { JournalPrompt } from '../../../files/journal-prompts.ts'
import type { HeaderRecord } from '../../../files/journal-records.ts'
import { ask, describeSettings, Refused, type Settings, toBody } from './api.ts'
import { type Attachment, toContent, withQuestion } from './attachments.ts'
import type { Conversation } from './conversation-file.ts'
import { keep } from './history.ts'
import { newId } from './ids.ts'
import { toTurn } from './journal.ts'
import { ABOUT_DEMO, eventsOf, play } from './replay.ts'
import { isContinuable, resumeBody, takeMore } from './resume.ts'
import { type Content, contentOf, messagesFor, newRun, stopRun, type Turn, takeEvent } from './run.ts'
import { addRun, showRun } from './runs.ts'

const FRAME_MS = 60

/** Makes a conversation without turns. */
export function newConversation(): Conversation {
  return { id: newId(), time: Date.now(), title: '', turns: [] }
}

/** The current conversation, with its actions. */
export interface Chat {
  conversation: Conversation
  isRunning: boolean
  ask(question: string, settings: Settings, files?: Attachment[]): void
  /** Asks a question again. Its runs before are kept. What followed an older one stays in History, with the conversation. */
  retry(turn: Turn, settings: Settings): void
  /** Asks another question in the place of a turn, in a new conversation; the old one stays in History. */
  edit(turn: Turn, question: string, settings: Settings): void
  /** Lets the writer of the last answer write on. */
  resume(settings: Settings): void
  /** Plays a recorded prompt in a new conversation. */
  play(prompt: JournalPrompt, header: HeaderRecord): void
  /** Shows another run of a turn. */
  show(turn: Turn, at: number): void
  stop(): void
  open(conversation: Conversation): void
}

interface Question {
  question: string
  content: Content
}

/** One request: the conversation that it belongs to, and where its events go. */
interface Call {
  conversation: Conversation
  turn: Turn
  /** Gets the events from the server, or from a journal. */
  send: (onEvent: (event: AftEvent) => void, signal: AbortSignal) => Promise<void>
  take: (event: AftEvent) => void
}

/** Sends a request to the server. */
const toServer =
  (body: object): Call['send'] =>
  (onEvent, signal) =>
    ask(body, onEvent, signal)

/**
 * Keeps the current conversation.
 * @param onKept gets all conversations after one was kept
 * @param onKeyNeeded called when the server asks for a key
 */
export function useChat(onKept: (all: Conversation[]) => void, onKeyNeeded: () => void): Chat {
  const [conversation, setConversation] = useState(newConversation)
  const { begin: run, isRunning, stop } = useCalls(onKept, onKeyNeeded)
  const { turns } = conversation
  const last = turns.at(-1)
  const begin = (call: Call) => {
    setConversation(call.conversation)
    void run(call)
  }
  const askIn = (before: Conversation, question: Question, settings: Settings) =>
    begin(callFor(before, question, settings))
  /** The conversation up to a turn, in its new form: a new one if others came after it. */
  const endWith = (before: Turn, turn: Turn) => ({
    ...conversation,
    ...(before !== last && { id: newId() }),
    time: Date.now(),
    turns: [...turns.slice(0, turns.indexOf(before)), turn],
  })
  return {
    conversation,
    isRunning,
    ask: (text, settings, files = []) => {
      const question = text.trim() === '' ? files.map(({ name }) => name).join(', ') : text
      askIn(conversation, { question, content: toContent(text, files) }, settings)
    },
    retry(before, settings) {
      const messages = messagesFor(turns.slice(0, turns.indexOf(before)), contentOf(before), settings.system)
      const turn = addRun({ ...before, messages }, { run: newRun(), about: describeSettings(settings) })
      const send = toServer(toBody(messages, settings))
      begin({ conversation: endWith(before, turn), turn, send, take: (event) => takeEvent(turn.run, event) })
    },
    edit(turn, question, settings) {
      const before = turns.slice(0, turns.indexOf(turn))
      const title = before[0]?.question.slice(0, 120) ?? ''
      const content = withQuestion(contentOf(turn), question)
      askIn({ ...newConversation(), title, turns: before }, { question, content }, settings)
    },
    resume(settings) {
      if (!last || !isContinuable(last.run)) return
      const send = toServer(resumeBody(last, settings))
      begin({ conversation: endWith(last, last), turn: last, send, take: takeMore(last.run) })
    },
    play: (prompt, header) => begin(exampleOf(prompt, header)),
    show(turn, at) {
      const shown = turns.map((other) => (other === turn ? showRun(turn, at) : other))
      setConversation({ ...conversation, turns: shown })
      onKept(keep({ ...conversation, turns: shown }))
    },
    stop,
    open(conversation) {
      stop()
      setConversation(conversation)
    },
  }
}

/** Makes the request of a new turn. */
function callFor(before: Conversation, { question, content }: Question, settings: Settings): Call {
  const messages = messagesFor(before.turns, content, settings.system)
  const turn: Turn = { id: newId(), messages, question, run: newRun(), about: describeSettings(settings) }
  const title = before.title || question.slice(0, 120)
  const conversation = { ...before, time: Date.now(), title, turns: [...before.turns, turn] }
  const send = toServer(toBody(messages, settings))
  return { conversation, turn, send, take: (event) => takeEvent(turn.run, event) }
}

/** Makes the request of a recorded prompt: nothing is sent. */
function exampleOf(prompt: JournalPrompt, header: HeaderRecord): Call {
  const turn: Turn = { ...toTurn(prompt, header.plan.layers.length, header.plan), id: newId(), run: newRun() }
  const title = `Example: ${turn.question}`
  return {
    conversation: { ...newConversation(), title, about: ABOUT_DEMO, turns: [turn] },
    turn,
    send: (onEvent, signal) => play(eventsOf(prompt, header), onEvent, { signal }),
    take: (event) => takeEvent(turn.run, event),
  }
}

/** Sends requests, one at a time. A conversation is kept when a question is asked, and when its run has ended. */
function useCalls(onKept: (all: Conversation[]) => void, onKeyNeeded: () => void) {
  const [, setFrame] = useState(0)
  const caller = useRef<AbortController | undefined>(undefined)
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  const show = () => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined
      setFrame((n) => n + 1)
    }, FRAME_MS)
  }
  useEffect(() => () => caller.current?.abort(), [])
  const begin = async ({ conversation, turn, send, take }: Call) => {
    const call = new AbortController()
    caller.current = call
    onKept(keep(conversation))
    try {
      const onEvent: typeof take = (event) => {
        take(event)
        show()
      }
      await send(onEvent, call.signal)
    } catch (error) {
      if (call.signal.aborted) stopRun(turn.run, 'stopped')
      else stopRun(turn.run, 'failed', (error as Error).message)
      if (error instanceof Refused && error.status === 401) onKeyNeeded()
    }
    if (caller.current === call) caller.current = undefined
    onKept(keep(conversation))
    show()
  }
  return { begin, isRunning: caller.current !== undefined, stop: () => caller.current?.abort() }
}
