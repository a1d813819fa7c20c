/**
 * Sends the first request of its form alone. If a model refuses the form, one request learns that, and the requests that
 * wait are sent in another. As soon as one was taken, all others go at once.
 */
import type { Message } from '../../core/provider/engine.ts'

/** What a model may refuse of a request: its fields, and how its turns follow each other. */
export interface Form {
  body: Record<string, unknown>
  messages: readonly Message[]
}

/** The forms that a model has taken or refused. */
export interface Scouts {
  /**
   * Makes a request, and makes it again after each wait: what was learned meanwhile may change it. Resolves when it may be
   * sent, or its caller has left. Call `end` when its server has taken or refused it, and what it taught is known.
   */
  enter<Made extends Form>(make: () => Made, signal: AbortSignal): Promise<{ made: Made; end: () => void }>
}

/** A refusal comes soon. A server that says nothing for so long may be busy with the answer. */
const WAIT_MS = 1_000
/** More forms than any program sends. */
const MAX_FORMS = 1_000

/** Of a model that was not asked yet. */
export function createScouts(): Scouts {
  const known = new Set<string>()
  const ahead = new Map<string, Promise<void>>()

  /** Sends a scout: the returned function ends its time alone. */
  const goAhead = (form: string): (() => void) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const end = () => {
      clearTimeout(timer)
      if (known.size === MAX_FORMS) known.clear()
      known.add(form)
      ahead.delete(form)
      resolve()
    }
    const timer = setTimeout(end, WAIT_MS)
    ahead.set(form, promise)
    return end
  }

  return {
    async enter(make, signal) {
      let left: Promise<unknown> | undefined
      for (;;) {
        const made = make()
        const form = nameOf(made)
        const scout = ahead.get(form)
        if (known.has(form) || signal.aborted) return { made, end: () => {} }
        if (!scout) return { made, end: goAhead(form) }
        left ??= new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
        await Promise.race([scout, left])
      }
    },
  }
}

/** The same for requests of the same form. */
function nameOf({ body, messages }: Form): string {
  const fields = Object.keys(body).filter((name) => body[name] !== undefined && name !== 'messages')
  const pairs = messages.map((message, i) => `${traitOf(messages[i - 1])}>${traitOf(message)}`)
  return [...fields.sort(), ...new Set(pairs.sort())].join()
}

function traitOf(message: Message | undefined): string {
  if (!message) return ''
  const { role, content } = message
  const calls = 'tool_calls' in message && message.tool_calls ? '+calls' : ''
  return `${role}${calls}${Array.isArray(content) ? '+parts' : ''}${content === null ? '-content' : ''}`
}
