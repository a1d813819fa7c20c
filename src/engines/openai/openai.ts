/**
 * Any OpenAI-compatible server as an engine.
 *
 * Seeds: one request carries one seed, and vLLM and llama-server give its completion i the seed + i. So one request
 * asks for completions with consecutive seeds only, and each completion gets its own seed, whether it is asked for
 * with others, alone, or again. Other servers promise less, or nothing.
 */
import type { Engine } from '../../core/provider/engine.ts'
import { keepSecret } from '../../core/provider/errors.ts'
import { completionsURL, defaultBaseURL, headersFor, keyFor, normalizeURL, shareSlots } from './endpoint.ts'
import { expectAnything } from './ends.ts'
import type { Server } from './exchange.ts'
import { generate } from './generate.ts'
import { guessDialect } from './request.ts'

export { keyFor } from './endpoint.ts'

/** A server, a model on it, and how to ask. */
export interface OpenAIOptions {
  model: string
  /** Default: OPENAI_BASE_URL, else OpenAI's own. */
  baseURL?: string
  /** Default: what `keyFor` finds in `env`. */
  apiKey?: string
  /** Environment variable that holds the key. */
  apiKeyEnv?: string
  /** Default `process.env`. */
  env?: Record<string, string | undefined>
  /** Default `ADDRESS#MODEL`, without query or user. */
  id?: string
  /** Completions in flight at the address, for all engines of this process together; default 8. */
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
  const { env = process.env, model, contextLength } = options
  const baseURL = options.baseURL ?? defaultBaseURL(env)
  const address = normalizeURL(baseURL)
  const apiKey = options.apiKey ?? keyFor(baseURL, env, options.apiKeyEnv)
  keepSecret(apiKey)
  const id = options.id ?? `${address}#${model}`
  const { slots, leave } = shareSlots(address, options.concurrency)
  const server: Server = {
    target: {
      id,
      url: completionsURL(baseURL),
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
    attempts: (options.maxRetries ?? 9) + 1,
    timeoutMs: options.timeoutMs ?? 120_000,
    wholeTimeoutMs: options.timeoutMs ?? 300_000,
    noStream: options.noStream,
    extraBody: options.extraBody,
    dialect: guessDialect(baseURL),
    ends: expectAnything(),
  }
  return {
    id,
    contextLength,
    generate: (request) => generate(server, request),
    close: async () => leave(),
  }
}
