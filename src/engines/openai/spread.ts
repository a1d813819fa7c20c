/** Several servers with the same model as one engine: each request goes to the one with the least to do. */
import { hash } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import {
  type CompletionRequest,
  type Engine,
  type EngineEvent,
  type Message,
  type TokenScore,
  textOf,
} from '../../core/provider/engine.ts'
import type { EngineError } from '../../core/provider/errors.ts'
import { backoffMs } from '../../lib/retry.ts'
import type { Slots } from '../../lib/slots.ts'

/** One of the servers. It does not retry: another one may answer. */
export interface Member {
  engine: Engine
  slots: Slots
}

/** A member, and what is known of it. */
interface Known extends Member {
  /** Completions that were asked of it here and have not ended. */
  open: number
  /** Failures in a row that are not about a request. */
  failures: number
  /** By `performance.now()`: it is asked before that only if all others are paused too. */
  pausedUntilMs: number
}

/**
 * Makes one engine of several. A completion that fails at one server is asked for at another, at once if there is one that
 * answers.
 * @param attempts per completion, the first included
 */
export function spread(
  members: Member[],
  { id, attempts, contextLength }: { id: string; attempts: number; contextLength?: number },
): Engine {
  const known = members.map((member): Known => ({ ...member, open: 0, failures: 0, pausedUntilMs: 0 }))
  return {
    id,
    contextLength,
    generate: (request) => generate(known, request, attempts),
    score: members.every(({ engine }) => engine.score)
      ? (messages, completion) => scoreAt(known, messages, completion)
      : undefined,
    close: async () => {
      await Promise.all(members.map(({ engine }) => engine.close?.()))
    },
  }
}

/** Scores at the server with the least to do. */
function scoreAt(members: Known[], messages: Message[], completion: string): Promise<TokenScore[]> {
  const { engine } = choose(members, { messages }, new Set())
  if (!engine.score) throw new Error('a server does not score')
  return engine.score(messages, completion)
}

/** A completion of a request that has not ended. */
interface Open {
  /** In the request of the caller. */
  index: number
  seed: number
  failures: number
  hasStreamed: boolean
}

async function* generate(
  members: Known[],
  request: CompletionRequest,
  attempts: number,
): AsyncGenerator<EngineEvent> {
  const tried = new Set<Known>()
  let open = request.seeds.map((seed, index): Open => ({ index, seed, failures: 0, hasStreamed: false }))
  while (open.length > 0) {
    const member = choose(members, request, tried)
    tried.add(member)
    if (tried.size === members.length) tried.clear()
    const failed: { completion: Open; event: Failed }[] = []
    for await (const [completion, event] of ask(member, request, open)) {
      if (event.type === 'completion-failed') failed.push({ completion, event })
      else yield event
    }
    const isFinal = ({ completion, event: { error } }: (typeof failed)[number]) =>
      !error.isRetryable || ++completion.failures >= attempts || isTooLong(error, request)
    const [over, again] = [
      failed.filter(isFinal),
      failed.filter((each) => each.completion.failures < attempts),
    ]
    for (const { event } of over) yield event
    const left = again.filter((each) => !over.includes(each))
    open = left.map(({ completion }) => completion)
    if (left[0] && !request.signal?.aborted) yield* beforeRetry(members, left, request)
  }
}

type Failed = Extract<EngineEvent, { type: 'completion-failed' }>

function isTooLong(
  { retryAfterMs = 0 }: EngineError,
  { maxWaitMs = Number.POSITIVE_INFINITY }: CompletionRequest,
) {
  return retryAfterMs > maxWaitMs
}

/** Takes back what was streamed, and waits until a server may be asked: not at all if one is not paused. */
async function* beforeRetry(
  members: Known[],
  left: { completion: Open; event: Failed }[],
  { signal }: CompletionRequest,
): AsyncGenerator<EngineEvent> {
  const now = performance.now()
  const ms = Math.max(0, Math.min(...members.map(({ pausedUntilMs }) => pausedUntilMs - now)))
  for (const { completion, event } of left) {
    const { index, failures } = completion
    const { kind, message: reason } = event.error
    if (completion.hasStreamed) yield { type: 'completion-restarted', index, reason }
    completion.hasStreamed = false
    yield { type: 'completion-waiting', index, attempt: failures + 1, ms, kind, reason }
  }
  if (ms > 0) await wait(ms, undefined, { signal }).catch(() => {})
}

/** Asks one server for the open completions. Events have the caller's indexes. */
async function* ask(
  member: Known,
  request: CompletionRequest,
  open: Open[],
): AsyncGenerator<[Open, EngineEvent]> {
  const waiting = new Set(open)
  member.open += open.length
  try {
    const asked = { ...request, n: open.length, seeds: open.map(({ seed }) => seed) }
    for await (const event of member.engine.generate(asked)) {
      const completion = open[event.index]
      if (!completion) continue
      const isEnd = event.type === 'completion-end'
      if (isEnd || event.type === 'completion-failed') {
        if (waiting.delete(completion)) member.open--
      } else if (event.type.endsWith('-delta')) completion.hasStreamed = true
      if (isEnd) Object.assign(member, { failures: 0, pausedUntilMs: 0 })
      if (event.type === 'completion-failed') noteFailure(member, event.error)
      yield [completion, { ...event, index: completion.index }]
    }
  } finally {
    member.open -= waiting.size
  }
}

/** A server that fails is left alone for a while: as long as it asks for, or longer with each failure. */
function noteFailure(member: Known, error: EngineError): void {
  if (!error.isRetryable) return
  member.failures++
  member.pausedUntilMs = performance.now() + backoffMs(member.failures, error.retryAfterMs)
}

/**
 * The server with the fewest completions for its places. Equals are told apart by the start of the conversation, so that
 * requests with the same prompt meet the cache of the same server.
 */
function choose(members: Known[], request: Pick<CompletionRequest, 'messages'>, tried: Set<Known>): Known {
  const now = performance.now()
  const first = textOf(request.messages.find(({ role }) => role === 'user') ?? { role: 'user' })
  const rank = (member: Known, i: number) => [
    tried.has(member) ? 1 : 0,
    Math.max(0, member.pausedUntilMs - now),
    member.open / member.slots.capacity,
    Number.parseInt(hash('sha1', `${i} ${first}`).slice(0, 12), 16),
  ]
  const ranked = members.map((member, i) => ({ member, rank: rank(member, i) }))
  ranked.sort((a, b) => {
    const at = a.rank.findIndex((value, k) => value !== b.rank[k])
    return at === -1 ? 0 : (a.rank[at] as number) - (b.rank[at] as number)
  })
  return (ranked[0] as (typeof ranked)[0]).member
}
