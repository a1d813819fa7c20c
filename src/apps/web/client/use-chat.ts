/** Runs a conversation: asks, takes the events, and renders them a few times per second. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { ask, Refused, type Settings, toBody } from './api.ts'
import { type Conversation, keep } from './history.ts'
import { messagesFor, newRun, stopRun, type Turn, takeEvent } from './run.ts'

const FRAME_MS = 60

/** Makes a conversation without turns. */
export function newConversation(): Conversation {
  return { id: crypto.randomUUID?.() ?? String(Date.now()), time: Date.now(), title: '', turns: [] }
}

/** The current conversation, with its actions. */
export interface Chat {
  conversation: Conversation
  isRunning: boolean
  ask(question: string, settings: Settings): Promise<void>
  stop(): void
  open(conversation: Conversation): void
}

/**
 * Keeps the current conversation.
 * @param onKept gets all conversations after one was kept
 * @param onKeyNeeded called when the server asks for a key
 */
export function useChat(onKept: (all: Conversation[]) => void, onKeyNeeded: () => void): Chat {
  const [conversation, setConversation] = useState(newConversation)
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

  const askFor = async (question: string, settings: Settings) => {
    const run = newRun()
    const messages = messagesFor(conversation.turns, question, settings.system)
    const turn: Turn = { id: crypto.randomUUID?.() ?? String(Date.now()), messages, question, run }
    const grown = {
      ...conversation,
      time: Date.now(),
      title: conversation.title || question.slice(0, 120),
      turns: [...conversation.turns, turn],
    }
    setConversation(grown)
    const call = new AbortController()
    caller.current = call
    try {
      await ask(
        toBody(messages, settings),
        (event) => {
          takeEvent(run, event)
          show()
        },
        call.signal,
      )
    } catch (error) {
      if (call.signal.aborted) stopRun(run, 'stopped')
      else stopRun(run, 'failed', (error as Error).message)
      if (error instanceof Refused && error.status === 401) onKeyNeeded()
    }
    if (caller.current === call) caller.current = undefined
    onKept(keep(grown))
    show()
  }
  return {
    conversation,
    isRunning: caller.current !== undefined,
    ask: askFor,
    stop: () => caller.current?.abort(),
    open: (conversation) => {
      caller.current?.abort()
      setConversation(conversation)
    },
  }
}
