/**
 * Any OpenAI-compatible server as an engine.
 *
 * Seeds: one request carries one seed, and vLLM and llama-server give its completion i the seed + i. So one request
 * asks for completions with consecutive seeds only, and each completion gets its own seed, whether it is asked for
 * with others, alone, or again. Other servers promise less, or nothing.
 */
import type { Engine } from '../../core/provider/engine.ts'
import { keepSecret } from '../../core/provider/errors.ts'
import { createScouts } from '../upstream/scouts.ts'
import {
  completionsURL,
  defaultBaseURL,
  headersFor,
  idOfServers,
  keyFor,
  normalizeURL,
  shareSlots,
} from './endpoint.ts'
import { expectAnything } from './ends.ts'
import { generate } from './generate.ts'
import type { Server } from './question.ts'
import { guessDialect } from './request.ts'
import { score } from './score.ts'
import type { SessionOptions } from './session.ts'
import { type Member, spread } from './spread.ts'

export { keyFor } from './endpoint.ts'

/** A server, a model on it, and how to ask. */
export interface OpenAIOptions extends SessionOptions {
  model: string
  /** Default: OPENAI_BASE_URL, else OpenAI's own. Several: servers with the same model. */
  baseURL?: string | string[]
  /** Default: what `keyFor` finds in `env`. */
  apiKey?: string
  /** Environment variable that holds the key. */
  apiKeyEnv?: string
  /** Default `process.env`. */
  env?: Record<string, string | undefined>
  /** Default `ADDRESS#MODEL`, without query or user. */
  id?: string
  /**
   * Completions in flight at the address, for all engines of this process together. Default: 8 at first, then as many as
   * make the server faster, at most 256.
   */
  concurrency?: number
  /** Times that a failed completion is repeated; default 9. */
  maxRetries?: number
  /**
   * Fail an attempt after this many milliseconds without data; default 120,000, and 300,000 if the server does not
   * stream.
   */
  timeoutMs?: number
  /** Ask for whole answers, not for streams: less work per token, but no partial texts. */
  noStream?: boolean
  /** Continue raw text at `/completions`, without a chat template: for base models. */
  raw?: boolean
  /** Tokens of a prompt and its completion together. */
  contextLength?: number
  /** Added to the body of each request; replaces fields of the engine. */
  extraBody?: Record<string, unknown>
  /** Sent with each request, in place of what the engine itself sends under these names; never shown. */
  headers?: Record<string, string>
  /** Sent as `x-aft-hops`, so that a server can tell when it asks itself; default AFT_HOPS, else 1. */
  hops?: number
  /** Default: Node's own client, which takes a third of the processor's time of its `fetch`. */
  fetch?: typeof globalThis.fetch
}

/**
 * Opens an engine on a server. Nothing is sent before the first request.
 * @throws UsageError for a wrong address or a missing key
 */
export function openOpenAI(options: OpenAIOptions): Engine {
  const { env = process.env, model, baseURL: given = defaultBaseURL(env) } = options
  if (!Array.isArray(given)) return openOne(options, given).engine
  const [first = defaultBaseURL(env)] = given
  if (given.length < 2) return openOne(options, first).engine
  // A server that fails is not asked again before the others were.
  const members = given.map((baseURL) => openOne({ ...options, id: undefined, maxRetries: 0 }, baseURL))
  const { contextLength, id = idOfServers(given, model), maxRetries = 9 } = options
  return spread(members, { id, contextLength, attempts: maxRetries + 1 })
}

function openOne(options: OpenAIOptions, baseURL: string): Member {
  const { env = process.env, model, contextLength } = options
  const address = normalizeURL(baseURL)
  const apiKey = options.apiKey ?? keyFor(baseURL, env, options.apiKeyEnv)
  keepSecret(apiKey)
  const id = options.id ?? idOfServers([baseURL], model)
  const { slots, level, leave } = shareSlots(address, options.concurrency)
  const server: Server = {
    target: {
      id,
      url: completionsURL(baseURL, options.raw),
      headers: headersFor(baseURL, env, {
        apiKey,
        hops: options.hops ?? env.AFT_HOPS ?? 1,
        own: options.headers,
      }),
      apiKey,
      fetch: options.fetch,
      hasAnswered: false,
    },
    model,
    slots,
    level,
    attempts: (options.maxRetries ?? 9) + 1,
    timeoutMs: options.timeoutMs ?? 120_000,
    wholeTimeoutMs: options.timeoutMs ?? 300_000,
    noStream: options.noStream,
    isRaw: options.raw,
    extraBody: options.extraBody,
    session: { sessionId: options.sessionId, dataParallelRanks: options.dataParallelRanks },
    dialect: guessDialect(baseURL),
    scouts: createScouts(),
    ends: expectAnything(),
  }
  const engine: Engine = {
    id,
    contextLength,
    generate: (request) => generate(server, request),
    score: (messages, completion) => score(server, messages, completion),
    close: async () => leave(),
  }
  return { engine, slots }
}
