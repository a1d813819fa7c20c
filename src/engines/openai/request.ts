/** The body of a chat-completions request, in the dialect of the server that gets it. */
import type { CompletionRequest } from '../../core/provider/engine.ts'
import type { Trouble } from './trouble.ts'

/** What a server was found to understand. One for each engine, and changed as its server refuses things. */
export interface Dialect {
  limitName: 'max_tokens' | 'max_completion_tokens'
  /** Whether the other name was refused before. */
  hasSwitched: boolean
  /** Whether it knows `stream_options`. */
  tellsUsage: boolean
  /** Completions that it gives of one request. */
  maxChoices: number
}

/** Servers of OpenAI refuse `max_tokens` for reasoning models; of the others, many know nothing else. */
export function guessDialect(baseURL: string): Dialect {
  const isOpenAI = /(^|\.)openai\.(com|azure\.com)$/.test(new URL(baseURL).hostname)
  return {
    limitName: isOpenAI ? 'max_completion_tokens' : 'max_tokens',
    hasSwitched: false,
    tellsUsage: true,
    maxChoices: Number.POSITIVE_INFINITY,
  }
}

/** `n` completions of a request, in one stream. One request has one seed: the first of theirs. */
export function toBody(
  { messages, sampling, ...request }: CompletionRequest,
  { model, seed, n, dialect }: { model: string; seed: number; n: number; dialect: Dialect },
): Record<string, unknown> {
  return {
    model,
    messages,
    ...(n > 1 && { n }),
    seed,
    stream: true,
    ...(dialect.tellsUsage && { stream_options: { include_usage: true } }),
    [dialect.limitName]: sampling.maxTokens,
    temperature: sampling.temperature,
    top_p: sampling.topP,
    top_k: sampling.topK,
    min_p: sampling.minP,
    frequency_penalty: sampling.frequencyPenalty,
    presence_penalty: sampling.presencePenalty,
    stop: request.stop,
    tools: request.tools,
    tool_choice: request.toolChoice,
    response_format: request.responseFormat,
    // llama-server tells log probabilities only where alternatives are asked for.
    ...(request.logprobs !== undefined && { logprobs: true, top_logprobs: Math.max(1, request.logprobs) }),
  }
}

const REFUSED_NAME =
  /unsupported|not supported|unrecognized|unknown|unexpected|not permitted|forbidden|use '/i
const NAMES_N = /(^|[^\w'-])['"`]?n(_cmpl)?['"`]?([^\w'-]|$)/

/**
 * Learns from a refusal of `n` completions, asked for in a dialect that may have changed since. False where it
 * teaches nothing, and asking again would not help.
 */
export function learnFrom({ error, message }: Trouble, asked: Dialect, dialect: Dialect, n: number): boolean {
  if ((error.status !== 400 && error.status !== 422) || error.kind === 'context-overflow') return false
  if (REFUSED_NAME.test(message) && new RegExp(`\\b${asked.limitName}\\b`).test(message)) {
    if (asked.limitName !== dialect.limitName) return true
    if (dialect.hasSwitched) return false
    dialect.hasSwitched = true
    dialect.limitName = dialect.limitName === 'max_tokens' ? 'max_completion_tokens' : 'max_tokens'
    return true
  }
  if (asked.tellsUsage && /stream_options|include_usage/.test(message)) {
    dialect.tellsUsage = false
    return true
  }
  if (n === 1 || !NAMES_N.test(message)) return false
  const bounds = (message.match(/\d+/g) ?? []).map(Number).filter((bound) => bound >= 1 && bound < n)
  dialect.maxChoices = Math.min(dialect.maxChoices, bounds.length > 0 ? Math.max(...bounds) : n >> 1)
  return true
}
