/** Sends one chat-completions request. */
import { errorFromResponse } from '../upstream-error.ts'
import { hops } from './hops.ts'

/** Where requests go, and what goes with each. */
export interface Target {
  /** The engine's, for errors. */
  id: string
  /** Of `/chat/completions`, query included. */
  url: string
  headers: Record<string, string>
  /** Only to keep it out of error messages: the headers hold it already. */
  apiKey?: string
  fetch?: typeof globalThis.fetch
  /** It has answered a request before, if only with a refusal. */
  hasAnswered: boolean
}

/**
 * Posts a body and resolves when the response begins.
 * @throws UpstreamError for a status that is no success; whatever `fetch` throws for a connection that fails
 */
export async function post(target: Target, body: object, signal: AbortSignal): Promise<Response> {
  const { fetch = globalThis.fetch } = target
  const headers = { ...target.headers, ...countHops() }
  const response = await fetch(target.url, { method: 'POST', headers, body: JSON.stringify(body), signal })
  target.hasAnswered = true
  if (response.ok) return response
  const text = await response.text().catch(String)
  throw errorFromResponse(target.id, response, text, target.apiKey)
}

/** Inside a server the count continues from the request that is being answered. */
function countHops(): Record<string, string> | undefined {
  const count = hops.getStore()
  return count === undefined ? undefined : { 'x-aft-hops': String(count) }
}
