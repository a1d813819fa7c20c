/** What the page asks: as chat completions are asked, answered with every event of the core as it happens. */
import type { AftEvent, Failure, Result } from '../../core/result.ts'
import { toApiError } from '../../request/api-error.ts'
import type { Sink } from '../../request/live.ts'
import { type ChatRequest, readChat } from './chat-request.ts'
import type { Endpoint } from './endpoint.ts'
import { concealResult, type Names } from './names.ts'

/** Data lines are events; the last is `{type: 'answer', result}` or `{error}`. */
export const eventsEndpoint: Endpoint<ChatRequest> = {
  idPrefix: 'aft-',
  read: (body, offer) => ({ ...readChat(body, offer), isStream: true }),
  whole: ({ result }) => result,
  write: async (stream, _, run) => {
    const event = (event: AftEvent) => event.type !== 'answer' && stream.send(event)
    try {
      const { result } = await run({ ...silent, event })
      stream.send({ type: 'answer', result })
    } catch (error) {
      const known = toApiError(error)
      stream.send({ error: { ...known.toJSON().error, status: known.status } })
    }
  },
}

const silent: Sink = { content: () => {}, reasoning: () => {}, toolCall: () => {} }

/** A sink whose events say nothing that is not for clients. */
export function concealEvents(sink: Sink | undefined, names: Names): Sink | undefined {
  const send = sink?.event
  if (!send) return sink
  const event = (event: AftEvent) => {
    if (event.type === 'completion-failed') {
      const layers = [{ completions: [], failures: [event.failure] }]
      const [hidden] = concealResult({ layers } as unknown as Result, names).layers
      send({ ...event, failure: hidden?.failures[0] as Failure })
    } else if (event.type === 'completion-restarted') send({ ...event, reason: names.conceal(event.reason) })
    else send(event)
  }
  return { ...sink, event }
}
