/**
 * Answers of /v1/responses that later requests may name: some clients send the id of an item, or of the whole response,
 * instead of its text. They are in memory only, the oldest go first, and each client finds its own.
 */
import type { Message } from '../../core/provider/engine.ts'

/** An answer and the conversation that it ends. */
export interface StoredResponse {
  id: string
  /** The whole conversation without instructions, the answer included. */
  messages: Message[]
  /** The items of the answer. */
  output: { id?: string }[]
}

/** Keeps answers by their ids. */
export interface ResponseStore {
  /** False if the store keeps nothing. */
  readonly isOpen: boolean
  keep(client: string, response: StoredResponse): void
  /** Finds an answer by the id of the response or of one of its items. */
  find(client: string, id: string): StoredResponse | undefined
}

/** Makes a store. @param maxBytes most bytes of all answers together, as JSON; 0 keeps none */
export function createResponseStore(maxBytes: number): ResponseStore {
  const stored = new Map<string, { client: string; response: StoredResponse; bytes: number }>()
  let total = 0
  const drop = (key: string) => {
    total -= stored.get(key)?.bytes ?? 0
    stored.delete(key)
  }
  return {
    isOpen: maxBytes > 0,
    keep: (client, response) => {
      const bytes = JSON.stringify(response).length
      if (bytes > maxBytes) return
      stored.set(keyOf(response.id), { client, response, bytes })
      total += bytes
      for (const key of stored.keys()) {
        if (total <= maxBytes) break
        drop(key)
      }
    },
    find: (client, id) => {
      const found = stored.get(keyOf(id))
      return found?.client === client ? found.response : undefined
    },
  }
}

/** What the ids of a response and of its items have in common: `resp_X`, `msg_X_0`, `fc_X_1`. */
function keyOf(id: string): string {
  return id.split('_')[1] ?? id
}
