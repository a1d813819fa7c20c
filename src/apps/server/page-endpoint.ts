/** The page's endpoint. It takes the body of a chat completion, and sends every event of the core as it happens. */
import type { AftEvent } from '../../core/result.ts'
import type { Sink } from '../../request/live.ts'
import { toApiError } from './api-error.ts'
import { type ChatRequest, readChat } from './chat-request.ts'
import type { Endpoint } from './endpoint.ts'

/** The endpoint POST /v1/aft. Data lines are events; the last is `{type: 'answer', result}` or `{error}`. */
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
      stream.send(toApiError(error).toEvent())
    }
  },
}

const silent: Sink = { content: () => {}, reasoning: () => {}, toolCall: () => {}, canForget: true }
