/** Headers by which a router or a server with several ranks sends the same conversation to the same cache. */
import { hash } from 'node:crypto'
import type { CompletionRequest } from '../../core/provider/engine.ts'

/** Which of these headers a server is sent. */
export interface SessionOptions {
  /** `X-Session-ID`: the same for all requests that begin with the same messages. */
  sessionId?: boolean
  /** `X-data-parallel-rank`, from 0 to one less than this. */
  dataParallelRanks?: number
}

/** The headers of a request. A conversation is known by its messages up to the first of the user. */
export function sessionHeaders(
  { sessionId, dataParallelRanks }: SessionOptions,
  { messages }: Pick<CompletionRequest, 'messages'>,
): Record<string, string> {
  if (!sessionId && !dataParallelRanks) return {}
  const end = messages.findIndex(({ role }) => role === 'user') + 1
  const id = hash('sha256', JSON.stringify(messages.slice(0, end || undefined))).slice(0, 32)
  const rank = dataParallelRanks && Number.parseInt(id.slice(0, 12), 16) % dataParallelRanks
  return {
    ...(sessionId && { 'x-session-id': id }),
    ...(rank !== undefined && { 'x-data-parallel-rank': String(rank) }),
  }
}
